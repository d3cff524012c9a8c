"""taojin's Spark jobs, in running order. Each is ``python -m jobs.NAME`` or spark-submit's.

plan_input         names of files, a crawl or an index -> splits, in waves; ranges
extract_documents  splits, ranges -> documents, read_failures, replay lists
apply_rules        documents -> measures; measures -> flagged (reject_reasons)
find_duplicates    documents -> duplicates (doc_id, kind, cluster_id, kept_doc_id, similarity)
score_documents    documents -> scores/quality, scores/domain, scores/toxicity
select_corpus      documents and all of these -> corpus, rejected
report_run         ledger -> report/index.html, run.json
run_pipeline       all of the above in one application
train_models       labelled text -> conf/artifacts (no Spark)

Every Spark job writes its rows of the ledger as well.
"""
