"""Names that look like names of companies and people. All mail goes to reserved domains, so none can arrive."""

from typing import Final

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    "Amber Anchor Aspen Atlas Beacon Birch Bluebird Bramble Brook Canyon Cedar Cinder Clover Cobalt Copper Coral "
    "Crescent Delta Drift Ember Falcon Fern Flint Garnet Glacier Granite Harbor Hazel Heron Indigo Ivory Juniper "
    "Keystone Lantern Larch Linden Lunar Maple Marble Meadow Mistral Nimbus North Oak Onyx Orchard Osprey Pebble Pine "
    "Prairie Quarry Quartz Raven Ridge River Rowan Saffron Sequoia Sierra Silver Spruce Summit Tidal Timber Topaz "
    "Valley Velvet Walnut Willow Zephyr"
)
_SECOND: Final = _words(
    "Analytics Bank Bikes Books Brewing Cargo Clinics Clothing Components Dental Dynamics Education Energy "
    "Engineering Films Foods Freight Furniture Games Gardens Glass Grocers Health Homes Hotels Instruments Insurance "
    "Interiors Labs Legal Logistics Machines Marine Media Mobility Motors Optics Outdoor Packaging Paper Partners "
    "Pharma Ports Press Rail Realty Robotics Schools Security Software Solar Sports Studios Systems Telecom Textiles "
    "Tools Toys Travel Utilities Water Works"
)
_GIVEN: Final = _words(
    "Ada Aino Alma Amir Ana Anders Aya Ben Carla Chen Clara Dara Diego Elif Elin Emil Emma Farah Finn Grace Hana Hugo "
    "Ines Ivan Jonas Joy Kaan Kim Lars Lea Leo Lina Luca Maja Marek Maya Mei Mina Nadia Nia Nils Noor Olga Omar Oskar "
    "Paul Priya Rafael Rosa Sara Sofia Sven Tara Teo Tom Uma Vera Viktor Wei Yara Yusuf Zoe"
)
_FAMILY: Final = _words(
    "Abebe Almeida Andersen Bauer Berg Castro Chen Costa Dahl Demir Diaz Eriksen Fischer Garcia Haddad Hansen Horvat "
    "Ito Jansen Jensen Kaya Khan Kim Kowalski Kumar Larsen Lehtinen Lindgren Lopez Mbeki Meyer Moreau Mori Nguyen "
    "Novak Okafor Olsen Park Patel Petrov Quispe Rossi Santos Sato Schmidt Silva Singh Sousa Suzuki Tanaka Toth "
    "Usman Virtanen Wagner Wang Weber Wolf Yilmaz Zhang"
)


def company_names(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """``count`` different company names; past some thousands they are numbered branches."""
    pairs = len(_FIRST) * len(_SECOND)
    found: list[str] = []
    for branch in range(-(-count // pairs)):
        order = rng.permutation(pairs)[: count - len(found)].tolist()
        end = f" {branch + 1}" if branch else ""
        found += [f"{_FIRST[pair // len(_SECOND)]} {_SECOND[pair % len(_SECOND)]}{end}" for pair in order]
    return tuple(found)


def key_of(name: str) -> str:
    """The external key of a company: its name in lower case with hyphens."""
    return name.lower().replace(" ", "-")


def person_names(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """``count`` given and family names; two people may share a name, as they do."""
    given = rng.integers(0, len(_GIVEN), count).tolist()
    family = rng.integers(0, len(_FAMILY), count).tolist()
    return [(_GIVEN[one], _FAMILY[other]) for one, other in zip(given, family, strict=True)]
