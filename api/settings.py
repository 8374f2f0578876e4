"""What the environment decides: read once at the start, never inside the rooms below."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import InputError
from geo.privacy import MIN_KEY_BYTES

__all__ = ["Settings", "load_settings"]


class Settings(BaseSettings):
    """Settings of the process; each is the environment variable ``YILU_`` + its name."""

    model_config = SettingsConfigDict(env_prefix="YILU_", extra="ignore", frozen=True)

    pseudonym_key: SecretStr | None = None
    """Key of the riders' pseudonyms, at least 16 characters; needed for real traces, never written out."""
    cache_dir: Path | None = None
    """Folder for prepared maps; none: every study reads its map anew."""
    public_url: Annotated[str | None, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] = None
    """Address at which people reach the service, such as ``https://yilu.example.org``: for the links of the
    OGC door and the QR codes on walls; none: that of each request."""
    max_body_mb: Annotated[float, Field(gt=0, le=512)] = 16.0
    """Largest request body the service accepts, in megabytes."""
    max_work_mb: Annotated[float, Field(gt=0, le=4096)] = 48.0
    """Bodies in work at one time, in megabytes: a request beyond it is told to come again (503). A body takes
    some 20 times its size of memory while it is answered."""
    database_url: str | None = None
    """Where the state is kept: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``; none: the file
    ``yilu.db`` in the folder that is served."""
    studies: Path | None = None
    """Root of folders with studies that may be registered by name (``ROOT/TENANT/NAME/study.toml``); none:
    files are uploaded."""
    jobs_dir: Path | None = None
    """Where uploaded studies and their results are kept; none: ``jobs`` in the folder that is served."""
    max_upload_mb: Annotated[float, Field(gt=0, le=100_000)] = 500.0
    """Largest upload of a study, unpacked too, in megabytes."""
    studies_at_once: Annotated[int, Field(ge=0, le=16)] = 1
    """Studies that run at one time, each in a process of its own; 0: this process runs none."""
    studies_kept: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Studies that a tenant may keep."""
    offer_for_s: Annotated[float, Field(ge=1, le=3_600)] = 60.0
    """Seconds for which an offer stands."""
    offers_at_once: Annotated[int, Field(ge=1, le=4)] = 2
    """Open offers that one rider may have at a time."""
    retry_s: Annotated[float, Field(ge=1, le=3_600)] = 15.0
    """A task that nobody can do is tried again so often."""
    match_every_s: Annotated[float, Field(ge=0, le=3_600)] = 0.0
    """Tasks are collected and matched every so many seconds; 0: each at once."""
    patient_for_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """For so long a new task waits for a rider whom it costs little."""
    patient_extra_s: Annotated[float, Field(ge=0, le=86_400)] = 120.0
    """What "little" is: extra seconds."""
    silent_for_s: Annotated[float, Field(ge=60, le=86_400)] = 900.0
    """A rider of whom nothing was heard for so long is asked for nothing until the next report."""
    webhooks_private: bool = False
    """Whether events may be sent to this machine and to private networks, and without TLS."""
    jurisdiction: Annotated[str, Field(min_length=1, max_length=200)] = "yilu"
    """``jurisdiction_id`` of this city for apps that speak Open311."""
    issuer: Annotated[str, Field(min_length=1, max_length=200)] = "yilu"
    """Who certifies public-benefit time: the name of this service in its statements."""
    rate_per_s: Annotated[float, Field(gt=0)] = 200.0
    """Requests a second that one key may make in the long run."""
    rate_burst: Annotated[int, Field(ge=1)] = 400
    """Requests that one key may make at once."""
    open_per_min: Annotated[float, Field(gt=0, le=100_000)] = 3.0
    """Reports and photos a minute that one address may send without a key in the long run."""
    open_burst: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Reports and photos that one address may send without a key at once."""
    oidc_issuer: str | None = None
    """Issuer (``iss``) of accepted OpenID Connect tokens; set all three, or none."""
    oidc_audience: str | None = None
    """Audience (``aud``) of accepted tokens."""
    oidc_jwks: str | None = None
    """Address of the issuer's public keys (JWKS), https."""
    oidc_client_id: str | None = None
    """Name of this service at the provider: with it people sign in to the pages there. Where they come back,
    ``/sign-in/provider/back`` below ``YILU_PUBLIC_URL``, is to be registered at the provider."""
    oidc_client_secret: SecretStr | None = None
    """What this service proves itself with there; none: a public client, by PKCE alone."""
    oidc_scope: str = "openid profile"
    """What the provider is asked for; with it the ID token has to hold tenant and role."""
    oidc_tenant_claim: str = "tenant"
    """Claim that names the tenant."""
    oidc_role_claim: str = "role"
    """Claim that names the role, or a list of roles or groups of which exactly one must mean a role."""
    oidc_grid_claim: str = "grid_codes"
    """Claim with the unit grids of grid staff."""
    oidc_rider_claim: str = "rider_id"
    """Claim with the rider's id of a rider's token."""
    oidc_roles: dict[str, str] = {}
    """What the provider's names for roles mean here, as JSON, such as ``{"city-planners": "planner"}``."""


def load_settings() -> Settings:
    """Read the environment.

    Returns
    -------
    Settings
        The settings of this process.

    Raises
    ------
    InputError
        When a variable is outside its range; the sentence names it.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "YILU_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InputError(f"environment variable {name}: {first['msg'].lower()}") from None
    key = settings.pseudonym_key
    if key is not None and len(key.get_secret_value().encode()) < MIN_KEY_BYTES:
        raise InputError(
            f"environment variable YILU_PSEUDONYM_KEY: must have at least {MIN_KEY_BYTES} characters"
        )
    return settings
