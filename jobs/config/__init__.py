"""What can be set: the settings of a run as frozen dataclasses, and their strict loading.

In comes a TOML file with ``--set section.key=value``; out comes a `Config`, or a `ConfigError` that
names file, key, value and the known keys. `settings` and the scorers' modules hold the keys with
their defaults and meanings, `scorers` the tuple of all scorers; `loading` puts defaults, rule pack,
file and settings together, and ``python -m jobs.config.reference`` prints every key as Markdown.
It may import `udfs`, and nothing else of `jobs`; the names that other rooms use are imported here.
"""

from jobs.config.language_settings import LanguageConfig
from jobs.config.languages import bundled_languages
from jobs.config.loading import (
    kept_over_file,
    load_config,
    parse_value,
    with_running_scorers,
)
from jobs.config.packs import bundled_packs
from jobs.config.pair_rule_settings import PAIR_RULE_REASONS, PairRulesConfig
from jobs.config.pair_settings import SelectPairsConfig
from jobs.config.release_settings import ReleaseConfig
from jobs.config.remembered import Remembered, known_tables, settings_text, toml_value
from jobs.config.sections import (
    NamedArtifact,
    named_artifacts,
    section_types,
    section_values,
    to_dict,
)
from jobs.config.select_settings import SelectConfig
from jobs.config.settings import (
    RULE_REASONS,
    ArtifactsConfig,
    Config,
    DedupConfig,
    ExtractConfig,
    InputConfig,
    InputFormat,
    KeepPolicy,
    RulesConfig,
    RunConfig,
    ScoreConfig,
    SparkConfig,
)
from udfs.base.settings import ConfigError

__all__ = [
    "PAIR_RULE_REASONS",
    "RULE_REASONS",
    "ArtifactsConfig",
    "Config",
    "ConfigError",
    "DedupConfig",
    "ExtractConfig",
    "InputConfig",
    "InputFormat",
    "KeepPolicy",
    "LanguageConfig",
    "NamedArtifact",
    "PairRulesConfig",
    "ReleaseConfig",
    "Remembered",
    "RulesConfig",
    "RunConfig",
    "ScoreConfig",
    "SelectConfig",
    "SelectPairsConfig",
    "SparkConfig",
    "bundled_languages",
    "bundled_packs",
    "kept_over_file",
    "known_tables",
    "load_config",
    "named_artifacts",
    "parse_value",
    "section_types",
    "section_values",
    "settings_text",
    "to_dict",
    "toml_value",
    "with_running_scorers",
]
