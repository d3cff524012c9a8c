"""The rules of image-text pairs: conditions over what is stored of a pair's text, page and image.

What a pair is rejected for is decided from stored values alone, so that another limit needs no
text, page or image. A condition of a user's own is an SQL expression over the same columns.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructType

from jobs.config import Config, PairRulesConfig
from jobs.tables import SELECTED_PAIRS, schema_of
from jobs.transforms.images.bodies import IMAGE
from jobs.transforms.images.pair_frame import MORE, PAGE, TEXT_PLACES, URL_PLACES
from jobs.transforms.images.pair_reasons import REASONS
from jobs.transforms.rules import check_conditions


def pair_frame_type() -> StructType:
    """Return the columns that the rules see: those of a pair, of its page and of its image."""
    return schema_of(SELECTED_PAIRS)


def with_pair_reasons(pairs: DataFrame, limits: PairRulesConfig) -> DataFrame:
    """Apply the rules to pairs.

    Needs: the columns of `pair_frame_type`.
    Adds: reasons, never null: every reason that applies, in the order of `pair_rules`.
    Rows: all kept. Shuffles: none.
    """
    fired = [F.when(rule, F.lit(reason)) for reason, rule in pair_rules(limits).items()]
    return pairs.withColumn(REASONS, F.array_compact(F.array(*fired)))


def pair_rules(limits: PairRulesConfig) -> dict[str, Column]:
    """Reject reason -> condition, which is never null.

    A place without a text is ``no_text``, and no other rule of texts applies. A text or an image of
    which a rule cannot be decided is ``unmeasured_text`` or ``unmeasured_image``. Rules of images
    apply to usable ones: of an unusable one a selection takes the reason that it has. A condition
    of the configuration that is null is ``unmeasured_condition``.

    Needs: the columns of `pair_frame_type`.
    Source: the packs in conf/packs/pairs name the source of each limit.
    """
    texts, images = _text_rules(limits), _image_rules(limits)
    own = {reason: F.expr(text) for reason, text in limits.conditions.items()}
    has_text = (
        F.coalesce(F.col("text_measures")["chars"] != 0, F.lit(True)) & F.col("text").isNotNull()
    )
    # An image that cannot be used has a reason of its own.
    has_image = F.col(IMAGE).isNotNull() & F.col(IMAGE)["reason"].isNull()
    not_measured = [F.col("text_measures")[name].isNull() for name in ("chars", "page_repeats")]
    return {
        "unmeasured_text": has_text & _any([*not_measured, *_undecided(texts)]),
        "unmeasured_image": has_image & _any(_undecided(images)),
        "unmeasured_condition": _any([rule.isNull() for rule in own.values()]),
        "no_text": ~has_text,
        **_decided(has_text, texts),
        **_decided(F.lit(True), _place_rules(limits)),
        **_decided(has_image, images),
        **{reason: F.coalesce(rule, F.lit(False)) for reason, rule in own.items()},
    }


def check_on_spark(spark: SparkSession, config: Config) -> None:
    """Check the configuration's own conditions on pairs, before any stage begins.

    Raises:
        ConfigError: one of them is not a condition over the columns of a pair.
    """
    if config.pair_rules.conditions:
        frame = empty_pair(spark)
        check_conditions(frame, config.pair_rules.conditions, "pair_rules", "column")


def empty_pair(spark: SparkSession) -> DataFrame:
    """Return one row: a pair of an empty text and an image without a size, of literals."""
    columns = ", ".join(f"{_zero(of.dataType)} AS `{of.name}`" for of in pair_frame_type())
    return spark.sql(f"SELECT {columns} FROM VALUES (0)")


def _zero(kind: DataType) -> str:
    """Return an empty value in SQL: conditions may divide by its zeros."""
    if isinstance(kind, StructType):
        fields = (f"'{of.name}', {_zero(of.dataType)}" for of in kind)
        return f"named_struct({', '.join(fields)})"
    value = {ArrayType: "array()", StringType: "''"}.get(type(kind), "0")
    return f"CAST({value} AS {kind.simpleString()})"


def _text_rules(limits: PairRulesConfig) -> dict[str, list[Column]]:
    text, more = F.col("text_measures"), F.col(MORE)
    kinds = F.transform(more["pii"], lambda span: span["kind"])
    rejected = F.array(*map(F.lit, limits.pii_kinds)).cast("array<string>")
    return {
        "text_source": [~F.col("text_source").isin(*limits.text_sources)],
        "text_length": _outside(text["chars"], limits.min_chars, limits.max_chars),
        "few_han": _below(text["han_share"], limits.min_han_share),
        "few_script_chars": _below(more["script_share"], limits.min_script_share),
        "kana": _above(text["kana_share"], limits.max_kana_share),
        "many_letters": _above(text["letter_share"], limits.max_letter_share),
        "many_digits": _above(text["digit_share"], limits.max_digit_share),
        "file_name": _where(limits.reject_file_names, text["is_file_name"]),
        "url_text": _where(limits.reject_urls, text["is_url"]),
        "interface_words": _where(limits.reject_interface_words, text["is_interface"]),
        "logo_word": _where(limits.reject_logo_words, text["has_logo_word"]),
        "site_name": _where(limits.reject_site_name, text["is_site_name"]),
        "page_title": _where(limits.reject_page_title, text["is_page_title"]),
        "in_page_title": _where(limits.reject_in_page_title, text["in_page_title"]),
        "repeated_on_page": _above(text["page_repeats"], limits.max_page_repeats),
        "frequent_text": _above(F.col(TEXT_PLACES), limits.max_text_places),
        "no_noun": _below(more["nouns"], limits.min_nouns),
        "few_words": _below(more["words"], limits.min_words),
        "many_words": _above(more["words"], limits.max_words),
        "sensitive": _above(more["sensitive_distinct"], limits.max_sensitive_words),
        "pii": _where(bool(limits.pii_kinds), F.arrays_overlap(kinds, rejected)),
    }


def _place_rules(limits: PairRulesConfig) -> dict[str, list[Column]]:
    """Those of a place and its page; a null is no opt-out, licence, address or stated size."""
    counted = F.array(*map(F.lit, limits.opt_outs)).cast("array<string>")
    opted_out = F.arrays_overlap(F.col(PAGE)["opt_outs"], counted)
    width, height = F.col("declared_width"), F.col("declared_height")
    return {
        "attribute": _where(bool(limits.attributes), ~F.col("attribute").isin(*limits.attributes)),
        "not_in_main": _where(limits.main_text_only, ~F.coalesce("in_main", F.lit(False))),
        "no_license": _where(limits.licensed_only, F.col("license").isNull()),
        "opted_out": _where(bool(limits.opt_outs), opted_out),
        "frequent_url": _above(F.col(URL_PLACES), limits.max_url_places),
        "declared_size": [
            rule
            for side in (width, height)
            for rule in _outside(side, limits.min_declared_side, limits.max_declared_side)
        ],
        "declared_aspect": _longer_than(width, height, limits.max_declared_aspect),
    }


def _image_rules(limits: PairRulesConfig) -> dict[str, list[Column]]:
    image = F.col(IMAGE)
    width, height = image["width"], image["height"]
    pixels = width.cast("long") * height
    return {
        "image_size": [
            rule
            for side in (width, height)
            for rule in _outside(side, limits.min_image_side, limits.max_image_side)
        ],
        "image_aspect": _longer_than(width, height, limits.max_image_aspect),
        "image_pixels": _above(pixels, limits.max_image_pixels),
        "image_bytes": _below(image["bytes"], limits.min_image_bytes),
        "image_format": [~image["format"].isin(*limits.image_formats)],
        "animated": _above(image["frames"], limits.max_frames),
    }


def _decided(applies: Column, rules: dict[str, list[Column]]) -> dict[str, Column]:
    """Conditions that are false where they do not apply, and where they are null."""
    return {
        reason: F.coalesce(applies & _any(any_of), F.lit(False))
        for reason, any_of in rules.items()
        if any_of
    }


def _undecided(rules: dict[str, list[Column]]) -> list[Column]:
    return [_any(any_of).isNull() for any_of in rules.values() if any_of]


def _any(conditions: list[Column]) -> Column:
    return reduce(or_, conditions, F.lit(False))


def _outside(measure: Column, least: float | None, most: float | None) -> list[Column]:
    return [*_below(measure, least), *_above(measure, most)]


def _below(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure < limit]


def _above(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure > limit]


def _where(is_on: bool, condition: Column) -> list[Column]:
    return [condition] if is_on else []


def _longer_than(width: Column, height: Column, limit: float | None) -> list[Column]:
    """Without a division: a stated side may be 0."""
    return [] if limit is None else [(width > height * limit) | (height > width * limit)]
