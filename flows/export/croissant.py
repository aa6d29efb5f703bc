"""`croissant.json`: a release in the words of Croissant 1.1 (MLCommons)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow

from flows.export.facts import Facts
from flows.export.tables import Part, WrittenTable
from schemas.records import ReleaseFormat

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the standard prescribes."""
ENCODINGS = {
    ReleaseFormat.parquet: "application/x-parquet",
    ReleaseFormat.csv: "text/csv",
    ReleaseFormat.jsonl: "application/jsonlines",
}


def croissant(
    tables: Sequence[WrittenTable],
    facts: Facts,
    release_format: ReleaseFormat,
    sha256: Mapping[str, str],
) -> dict[str, Any]:
    """The description of a release; `sha256` has the digest of each file by its path."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": "stancebank",
        "description": "Who said what in news articles, about what, and whether for or against it.",
        "version": facts.version,
        "datePublished": f"{facts.changed_at:%Y-%m-%d}",
        "inLanguage": "en",
        "isLiveDataset": False,
        "distribution": [
            *_sets(tables, release_format),
            *(_file(part, release_format, sha256) for table in tables for part in table.parts),
        ],
        "recordSet": [_record_set(table, release_format) for table in tables],
    }


def _sets(
    tables: Sequence[WrittenTable], release_format: ReleaseFormat
) -> Iterable[dict[str, Any]]:
    for table in tables:
        yield {
            "@type": "cr:FileSet",
            "@id": f"{table.name}-files",
            "name": f"{table.name}-files",
            "description": f"All parts of {table.name}.",
            "encodingFormat": ENCODINGS[release_format],
            "includes": f"{table.name}/**/*.{release_format}"
            if len(table.parts) > 1
            else table.parts[0].path,
        }


def _file(part: Part, release_format: ReleaseFormat, sha256: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": part.path,
        "name": part.path,
        "contentUrl": part.path,
        "encodingFormat": ENCODINGS[release_format],
        "sha256": sha256[part.path],
    }


def _record_set(table: WrittenTable, release_format: ReleaseFormat) -> dict[str, Any]:
    keys = [{"@id": f"{table.name}/{key}"} for key in table.table.key_columns()]
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.table.table_description(),
        **({"key": keys} if keys else {}),
        "field": [_field(table, field, release_format) for field in table.schema],
    }


def _field(
    table: WrittenTable, field: pyarrow.Field, release_format: ReleaseFormat
) -> dict[str, Any]:
    """A column; foreign keys are left to the data package, since Croissant's readers join them."""
    name = f"{table.name}/{field.name}"
    described = {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": table.table.columns()[field.name].description,
    }
    source = {"fileSet": {"@id": f"{table.name}-files"}, "extract": {"column": field.name}}
    if pyarrow.types.is_list(field.type) and release_format is not ReleaseFormat.csv:
        described |= {"isArray": True, "arrayShape": "-1"}
        item = field.type.value_type
        if pyarrow.types.is_struct(item):
            return described | {"subField": [_sub_field(name, source, inner) for inner in item]}
        return described | {"dataType": _data_type(item), "source": source}
    return described | {"dataType": _data_type(field.type), "source": source}


def _sub_field(name: str, source: dict[str, Any], field: pyarrow.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{name}/{field.name}",
        "name": f"{name}/{field.name}",
        "dataType": _data_type(field.type),
        "source": source | {"transform": {"jsonPath": field.name}},
    }


def _data_type(kind: pyarrow.DataType) -> str:
    if pyarrow.types.is_integer(kind):
        return "sc:Integer"
    if pyarrow.types.is_floating(kind):
        return "sc:Float"
    if pyarrow.types.is_boolean(kind):
        return "sc:Boolean"
    return "sc:DateTime" if pyarrow.types.is_temporal(kind) else "sc:Text"
