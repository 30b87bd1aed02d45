"""docker-compose.yml holds together: pinned images, an order of starts, no secret in the file, and files that exist."""

from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from api.cli import build

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"temporal-schema", "temporal-namespace", "migrate"}


def environment() -> list[tuple[str, str, str]]:
    """Return every (service, variable, value)."""
    return [
        (name, variable, str(value))
        for name, service in SERVICES.items()
        for variable, value in service.get("environment", {}).items()
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert tag.lstrip("v")[:1].isdigit()
    assert "." in tag


def test_all_parts_of_temporal_have_the_version_of_the_design() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert {"temporalio/server:1.32.0", "temporalio/admin-tools:1.32.0"} <= images
    assert any(image.startswith("postgres:17.") for image in images)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_needs_in_the_right_state(name: str) -> None:
    for needed, wait in SERVICES[name].get("depends_on", {}).items():
        if needed in ONE_SHOT:
            assert wait == {"condition": "service_completed_successfully"}
        else:
            assert wait == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[needed]


def test_nothing_serves_before_the_tables_and_the_namespace_are_there() -> None:
    assert "migrate" in SERVICES["api"]["depends_on"]
    assert {"migrate", "temporal-namespace"} <= set(SERVICES["worker"]["depends_on"])
    assert "temporal-schema" in SERVICES["temporal"]["depends_on"]


def test_a_one_shot_that_succeeded_is_not_started_again() -> None:
    assert {SERVICES[name]["restart"].partition(":")[0] for name in ONE_SHOT} == {"on-failure"}


@pytest.mark.parametrize(
    ("service", "variable", "value"),
    [one for one in environment() if any(word in one[1] for word in ("PASSWORD", "PWD", "SECRET", "_URL"))],
)
def test_a_secret_comes_from_the_environment_and_must_be_set(service: str, variable: str, value: str) -> None:
    optional = variable == "BACKCAST_SMTP_PASSWORD" and value == "${BACKCAST_SMTP_PASSWORD:-}"
    assert optional or ":?" in value, f"{service} has {variable} in the file"


def test_only_loopback_is_published() -> None:
    """A reverse proxy with TLS stands in front; Temporal and the database are not reachable from outside."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"api", "mailpit", "temporal-ui"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_every_mounted_file_exists() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(files) > 4
    assert [name for name in files if not (ROOT / name).exists()] == []
    assert {mount.split(":")[0] for mount in mounts if not mount.startswith("./")} == set(COMPOSE["volumes"])


def test_temporal_is_given_fairness_in_production_too() -> None:
    config = YAML(typ="safe").load((ROOT / "deploy" / "temporal.yaml").read_text())
    assert config["matching.enableFairness"] == [{"value": True}]
    inside = SERVICES["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"]
    assert f"./deploy/temporal.yaml:{inside}:ro" in SERVICES["temporal"]["volumes"]


@pytest.mark.parametrize("service", ["migrate", "api", "worker"])
def test_a_command_and_its_options_are_those_of_the_command_line(service: str) -> None:
    name, *options = SERVICES[service]["command"]
    group = typer.main.get_command(build())
    assert isinstance(group, typer.core.TyperGroup)
    known = {option for parameter in group.commands[name].params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known
