"""Units of measurement: what they measure, and how large they are, so that "500 mg" and "0.5 g" are one amount."""

from __future__ import annotations

import re

_TABLE = """
    fraction: % percent per-cent pct percentage-point percentage-points =0.01
    ratio: times fold =1
    significance: sigma σ standard-deviation standard-deviations =1
    magnitude: mag magnitude magnitudes =1
    decade: dex order-of-magnitude orders-of-magnitude =1
    time: s sec second seconds =1; ms msec millisecond milliseconds =0.001; min minute minutes =60; h hr hour hours =3600
    time: d day days =86400; week weeks =604800; month months =2629800; yr year years =31557600; kyr =31557600000
    time: Myr =31557600000000; Gyr =31557600000000000
    mass: kg kilogram kilograms =1000; g gram grams =1; mg milligram milligrams =0.001; µg μg mcg =0.000001; ng =0.000000001
    length: km kilometre kilometres kilometer kilometers =1000; m metre metres meter meters =1; cm =0.01; mm =0.001
    length: µm μm micron microns =0.000001; nm =0.000000001
    distance: pc parsec parsecs =1; kpc kiloparsec kiloparsecs =1000; Mpc megaparsec megaparsecs =1000000; Gpc =1000000000
    orbit: au AU =1
    volume: l L litre litres liter liters =1; ml mL =0.001; µl μl µL =0.000001
    frequency: Hz =1; kHz =1000; MHz =1000000; GHz =1000000000; THz =1000000000000
    energy: eV =1; keV =1000; MeV =1000000; GeV =1000000000; TeV =1000000000000
    temperature: K kelvin =1; mK =0.001; µK μK =0.000001
    speed: m/s m-s-1 =1; km/s km-s-1 =1000
    expansion: km/s/Mpc km-s-1-Mpc-1 =1
    angle: deg degree degrees ° =3600; arcmin arcminute arcminutes =60; arcsec arcsecond arcseconds =1; mas =0.001
"""
_SEPARATORS = re.compile(r"[\s^{}-]+")


def unit_named(written: str) -> str:
    """The name of a unit in `UNITS`, from the way it is written: spaces, hyphens, carets and braces left out."""
    return _SEPARATORS.sub("", written)


def _read(table: str) -> dict[str, tuple[str, float]]:
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        dimension, _, rest = line.partition(": ")
        for part in rest.split("; "):
            names, _, size = part.rpartition(" =")
            found.update({name: (dimension, float(size)) for name in names.split()})
    return found


_WRITTEN = _read(_TABLE)
UNITS = {unit_named(name): what for name, what in _WRITTEN.items()}
"""From its name to what a unit measures and its size in the smallest whole of that dimension (seconds, grams, metres)."""


def _pattern(name: str) -> str:
    # A letter alone right after a number is a name as often as a unit: the 1990s, 3d, 2g.
    alone = len(name) == 1 and name in "sdhgl"
    return (r"(?<=[\s-])" if alone else "") + re.escape(name).replace(r"\-1", r"\s?\^?\{?-1\}?").replace(
        r"\-", r"[\s-]?"
    )


PATTERN = "(?:" + "|".join(map(_pattern, sorted(_WRITTEN, key=len, reverse=True))) + r")(?!\w)"
"""Matches a unit as it is written, the longest first."""
