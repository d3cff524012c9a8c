"""The task register: documents and machine translations labelled with registers of CORE, the fit of
the linear model, and its figures. Imports jobs.training.common and udfs."""
