"""All templates, and the pages that they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.builders.page_templates import (
    articles,
    comments,
    encyclopedias,
    forums,
    listings,
    microblogs,
    novels,
    products,
    questions,
    videos,
)
from tests.builders.page_templates.page import MadePage, Template, pages_of
from tests.builders.page_templates.texts import PageTexts

TEMPLATES: tuple[Template, ...] = (
    Template("article", articles.cms_article),
    Template("article", articles.government_notice),
    Template("article", articles.portal_article),
    Template("article", articles.blog_post),
    Template("article", articles.column_article),
    Template("article", articles.table_article),
    Template("article", articles.short_item),
    Template("forum", forums.discuz),
    Template("forum", forums.phpbb),
    Template("forum", forums.flarum),
    Template("forum", forums.tieba),
    Template("forum", forums.topic_board),
    Template("forum", forums.old_board),
    Template("forum", comments.comment_page),
    Template("forum", comments.comment_cards),
    Template("forum", forums.discourse),
    Template("forum", forums.mobile_thread),
    Template("forum", comments.review_rows),
    Template("forum", comments.guest_book),
    Template("forum", comments.latest_comments),
    Template("question_answer", questions.answer_stream),
    Template("question_answer", questions.best_answer),
    Template("question_answer", questions.code_answers),
    Template("question_answer", questions.doctor_answers),
    Template("comments", comments.news_comment_list),
    Template("comments", comments.news_comment_floors),
    Template("comments", comments.blog_comment_list),
    Template("comments", comments.column_comments),
    Template("comments", comments.chosen_messages),
    Template("comments", comments.table_comments),
    Template("microblog", microblogs.timeline),
    Template("microblog", microblogs.status_thread),
    Template("microblog", microblogs.post_square),
    Template("microblog", microblogs.mobile_cards),
    Template("microblog", microblogs.talk_feed),
    Template("microblog", microblogs.tweet_page),
    Template("microblog", microblogs.weibo_page),
    Template("microblog", microblogs.word_wall),
    Template("encyclopedia", encyclopedias.wiki_entry),
    Template("encyclopedia", encyclopedias.baike_entry),
    Template("encyclopedia", encyclopedias.plain_entry),
    Template("encyclopedia", encyclopedias.mobile_entry),
    Template("product", products.shop_item),
    Template("product", products.supplier_item),
    Template("product", products.application),
    Template("product", products.classified_offer),
    Template("product", products.book_page),
    Template("product", products.second_hand),
    Template("product", products.mall_goods),
    Template("video", videos.video_watch),
    Template("video", videos.film_page),
    Template("video", videos.clip_card),
    Template("video", videos.episode_player),
    Template("video", videos.lesson_video),
    Template("video", videos.program_video),
    Template("video", videos.clip_remarks),
    Template("video", videos.series_card),
    Template("index", listings.portal_blocks),
    Template("index", listings.portal_tables),
    Template("index", listings.dated_list),
    Template("index", listings.tag_teasers),
    Template("index", listings.search_results),
    Template("index", listings.board_threads),
    Template("index", listings.shop_shelf),
    Template("index", listings.chapter_directory),
    Template("index", listings.news_stream),
    Template("index", listings.blog_front),
    Template("index", listings.special_topic),
    Template("index", listings.clip_wall),
    Template("index", listings.open_questions),
    Template("index", listings.picture_digest),
    Template("index", listings.table_journal),
    Template("index", listings.story_cards),
    Template("index", listings.notice_digests),
    Template("index", listings.program_list),
    Template("index", listings.topic_list),
    Template("index", listings.board_lines),
    Template("index", listings.day_table),
    Template("chapter", novels.chapter_breaks),
    Template("chapter", novels.chapter_paragraphs),
    Template("chapter", novels.chapter_table),
    Template("chapter", novels.chapter_mobile),
)


def made_pages(
    texts: PageTexts,
    seed: int,
    *,
    pages_each: int = 4,
    templates: Sequence[Template] = TEMPLATES,
) -> Iterator[MadePage]:
    """Make pages of all templates.

    Args:
        texts: What the pages are filled with: `read_page_texts`.
        seed: The same texts and seed give the same pages; a page does not depend on how many
            others there are.
        pages_each: Pages of each template.
    """
    return pages_of(templates, texts, seed, pages_each)
