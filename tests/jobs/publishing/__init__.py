"""Tests of jobs.publishing."""
