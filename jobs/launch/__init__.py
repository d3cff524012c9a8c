"""Requests to Amazon EMR and Google Dataproc.

In come a launch file of conf/emr or conf/dataproc and the user's values; out comes the request of
the service's API, checked and sent. Nothing here starts Spark or reads data. The room imports
jobs.config alone.
"""
