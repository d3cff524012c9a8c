"""How a run is requested, recorded, resumed and watched, whatever its stages compute.

In come a configuration, the arguments for its input and an output folder; out come a checked `Run`,
waves of splits, commits, a ledger whose balance closes, progress lines and metrics. The lease keeps
two runs apart; the signature store connects runs on several snapshots. The room imports
jobs.catalogue, jobs.config, jobs.tables, jobs.transforms and udfs; it does not know the bodies of
stages, which are in jobs.pipeline.
"""
