"""Settings of this process, from the environment only."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from broadcaster.errors import InputError, Problem


class Settings(BaseSettings):
    """What the environment says. Every variable begins with BROADCASTER_, but the two addresses."""

    model_config = SettingsConfigDict(env_prefix="BROADCASTER_", extra="ignore", frozen=True, populate_by_name=True)

    data: Path = Path("var")
    """BROADCASTER_DATA: where private services, secrets and reports live."""
    site: Path | None = None
    """BROADCASTER_SITE: the site's configuration; `<data>/site.yaml` when absent."""
    database_url: str | None = Field(default=None, validation_alias=AliasChoices("DATABASE_URL"))
    """DATABASE_URL: a Postgres; a private one is started when absent."""
    redis_url: str | None = Field(default=None, validation_alias=AliasChoices("REDIS_URL"))
    """REDIS_URL: a broker; a private Redis is started when absent."""
    log_level: str = "INFO"
    """BROADCASTER_LOG_LEVEL."""
    keys: Path | None = None
    """BROADCASTER_KEYS: the keyring that seals personal data; `<data>/keys.json` when absent."""
    metrics_token: SecretStr | None = None
    """BROADCASTER_METRICS_TOKEN: what `/metrics` wants as a bearer token; without one only this machine may read it."""
    rehearsal: bool = False
    """BROADCASTER_REHEARSAL: set by a rehearsal for its processes; only loopback providers are then reached."""

    @property
    def broker_url(self) -> str | None:
        """REDIS_URL in the form that Celery takes; other brokers' addresses pass as they are."""
        url = self.redis_url
        return f"redis+socket://{url.removeprefix('unix://')}" if url and url.startswith("unix://") else url

    @property
    def keys_file(self) -> Path:
        """Where the keyring is."""
        return self.keys or self.data / "keys.json"

    @property
    def site_file(self) -> Path:
        """Where the site's configuration is."""
        return self.site or self.data / "site.yaml"


def load() -> Settings:
    """The settings of this process; raises InputError that names each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise InputError(
            Problem(f"environment variable {_variable(str(row['loc'][0]))}: {row['msg']}") for row in error.errors()
        ) from error


def _variable(field: str) -> str:
    # The two addresses come with their variable's own name, every other field with its name in this class.
    own = field.upper()
    return own if field not in Settings.model_fields else f"{Settings.model_config['env_prefix']}{own}"
