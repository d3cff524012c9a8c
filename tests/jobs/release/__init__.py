"""Tests of jobs.release."""
