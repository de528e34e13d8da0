"""Factur-X: a PDF/A-3 that says in its metadata that the e-invoice is inside."""

import io
from typing import Final

from lxml import etree

NAME: Final = "factur-x.xml"
_LEVEL = "EN 16931"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
_SCHEMA = "http://www.aiim.org/pdfa/ns/schema#"
_PROPERTY = "http://www.aiim.org/pdfa/ns/property#"
_FACTUR_X = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PACKET = (b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>', b'<?xpacket end="w"?>')


def with_factur_x(pdf: bytes) -> bytes:
    """The PDF/A-3, to which NAME is attached, with the properties of Factur-X in its metadata."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        metadata = etree.fromstring(document.Root.Metadata.read_bytes(), parser)
        rdf = metadata if metadata.tag == _rdf("RDF") else metadata.find(f".//{_rdf('RDF')}")
        if rdf is None:
            raise ValueError("a PDF/A has RDF metadata")
        values = {"DocumentFileName": NAME, "DocumentType": "INVOICE", "Version": "1.0",
                  "ConformanceLevel": _LEVEL}  # fmt: skip
        _describe(_schemas(rdf), list(values))
        properties = etree.SubElement(rdf, _rdf("Description"), {_rdf("about"): ""}, nsmap={"fx": _FACTUR_X})
        for name, value in values.items():
            etree.SubElement(properties, f"{{{_FACTUR_X}}}{name}").text = value
        document.Root.Metadata.write(_PACKET[0] + etree.tostring(metadata) + _PACKET[1])
        merged = io.BytesIO()
        document.save(
            merged, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate
        )  # a sixth of the bytes: the tags of PDF/UA are many small objects
    return merged.getvalue()


def _schemas(rdf: etree._Element) -> etree._Element:
    """The one list of extension schemas that a PDF/A may have: PDF/UA has begun it already."""
    found = rdf.find(f".//{{{_EXTENSION}}}schemas/{_rdf('Bag')}")
    if found is not None:
        return found
    description = etree.SubElement(
        rdf, _rdf("Description"), {_rdf("about"): ""}, nsmap={"pdfaExtension": _EXTENSION}
    )
    return etree.SubElement(etree.SubElement(description, f"{{{_EXTENSION}}}schemas"), _rdf("Bag"))


def _describe(schemas: etree._Element, names: list[str]) -> None:
    """PDF/A wants every property that it does not know itself to be described."""
    resource = {_rdf("parseType"): "Resource"}
    schema = etree.SubElement(
        schemas, _rdf("li"), resource, nsmap={"pdfaSchema": _SCHEMA, "pdfaProperty": _PROPERTY}
    )
    about = {"schema": "Factur-X PDFA Extension Schema", "namespaceURI": _FACTUR_X, "prefix": "fx"}
    for key, value in about.items():
        etree.SubElement(schema, f"{{{_SCHEMA}}}{key}").text = value
    properties = etree.SubElement(etree.SubElement(schema, f"{{{_SCHEMA}}}property"), _rdf("Seq"))
    for name in names:
        one = etree.SubElement(properties, _rdf("li"), resource)
        texts = {"name": name, "valueType": "Text", "category": "external", "description": name}
        for key, value in texts.items():
            etree.SubElement(one, f"{{{_PROPERTY}}}{key}").text = value


def _rdf(name: str) -> str:
    return f"{{{_RDF}}}{name}"
