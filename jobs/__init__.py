"""taojin's Spark jobs, in running order. Each is ``python -m jobs.NAME`` or spark-submit's.

plan_input         names of files, a crawl or an index -> splits, in waves; ranges
extract_documents  splits, ranges -> documents, read_failures, replay lists
apply_rules        documents -> edits (texts), measures; measures -> flagged (reject_reasons)
find_duplicates    documents, a signature store -> duplicates, cuts; the store
score_documents    documents -> scores/quality, scores/domain, scores/toxicity, ...
select_corpus      documents and all of these -> corpus, rejected
report_run         ledger -> report/index.html, run.json
run_pipeline       all of the above in one application
train_models       labelled text -> conf/artifacts (no Spark)
import_bert        a model of transformers, or BERTEval's checkpoint -> a file (no Spark)
lock_artifacts     conf/artifacts.toml -> conf/artifacts.lock (no Spark)
fetch_artifacts    conf/artifacts.lock -> the cache (no Spark)
submit_run         a launch file -> a request to EMR or Dataproc (no Spark)

Every Spark job writes its rows of the ledger as well.
"""
