"""Addresses: one spelling per page, and the outlet and date that they tell."""

import re
from datetime import datetime
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from tld import get_fld

from flows.clean.dates import ParsedDate

_TRACKING = re.compile(
    r"utm_\w+|\w*clid|igshid|mc_[ce]id|_ga|_gl|_hs(enc|mi)|mkt_tok|s?ncid|smid|smtyp|cmpid?|ito|"
    r"ocid|taid|ref|ref_?src|referrer|share|spm|amp|outputtype",
    re.IGNORECASE,
)
_MOBILE_HOST = re.compile(r"^(m|mobile|amp)\.(?=[^.]+\.[^.]+)")
_AMP_PATH = re.compile(r"/amp(/|\.html)?$")
_WWW = re.compile(r"^www\d?\.")
_DATE_IN_PATH = re.compile(
    r"/((?:19|20)\d\d)[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?=\D|$)"
)


def canonical_url(url: str | None, declared: str | None = None) -> str | None:
    """One spelling for a page's address; None where neither argument is a web address.

    `declared` is what the page gives as canonical; it wins unless it leads to another site or
    to a front page. Fragment, tracking parameters, mobile and AMP forms go.
    """
    own = _parts(url)
    stated = _parts(urljoin(url or "", declared)) if declared else None
    chosen = stated if stated and _is_trusted(stated, own) else own
    return _spelled(chosen) if chosen else None


def url_date(url: str | None) -> ParsedDate | None:
    """Day that stands in the path of `url` (`/2018/08/14/`), if any."""
    found = _DATE_IN_PATH.search(url or "")
    if not found:
        return None
    year, month, day = (int(group) for group in found.groups())
    try:
        return ParsedDate(datetime(year, month, day), "day")
    except ValueError:
        return None


def site_of(url: str | None) -> str | None:
    """Registered domain of `url` (`bbc.co.uk`), else its host."""
    parts = _parts(url)
    if not parts:
        return None
    domain = get_fld(url or "", fail_silently=True)
    return str(domain or _WWW.sub("", parts.hostname or "")) or None


def _parts(url: str | None) -> SplitResult | None:
    try:
        parts = urlsplit((url or "").strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return parts if usable else None


def _is_trusted(stated: SplitResult, own: SplitResult | None) -> bool:
    if own is None:
        return True
    same_site = site_of(urlunsplit(stated)) == site_of(urlunsplit(own))
    is_front_page = stated.path.strip("/") == "" and own.path.strip("/") != ""
    return same_site and not is_front_page


def _spelled(parts: SplitResult) -> str:
    host = _MOBILE_HOST.sub("", (parts.hostname or "").lower())
    query = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(pair[0])
    ]
    path = _AMP_PATH.sub("/", parts.path) or "/"
    return urlunsplit((parts.scheme, host, path, urlencode(query), ""))
