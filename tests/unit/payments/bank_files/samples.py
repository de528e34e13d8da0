"""Real bank files, and a few small ones of formats of which no free samples were at hand."""

from pathlib import Path

FOLDER = Path(__file__).parents[3] / "data" / "bank"
SAMPLES = {
    f"{path.parent.name}/{path.name}": path.read_bytes()
    for path in sorted(FOLDER.rglob("*"))
    if path.is_file() and path.parent != FOLDER and path.name != "LICENSE"
}
OFX_1 = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20240301</SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>0<STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>111<ACCTID>12345<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20240101<DTEND>20240131
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20240115233000.000[-5:EST]<TRNAMT>+100.50<FITID>A1<NAME>Smith & S\xf6hne<MEMO>7 &amp; 8</STMTTRN>
<STMTTRN>
<TRNTYPE>DEBIT
<DTPOSTED>20240116
<TRNAMT>-1,234.56
<FITID>A2
<NAME>Shop
</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1000.00<DTASOF>20240131</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""  # noqa: E501
OFX_2 = """<?xml version="1.0" encoding="UTF-8"?>
<?OFX OFXHEADER="200" VERSION="211"?>
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR</CURDEF><BANKACCTFROM><ACCTID>FR7612345</ACCTID></BANKACCTFROM>
<BANKTRANLIST><STMTTRN><TRNTYPE>XFER</TRNTYPE><DTPOSTED>20240229</DTPOSTED><TRNAMT>12,50</TRNAMT><FITID>9</FITID>
<PAYEE><NAME><![CDATA[Élan & Cie]]></NAME></PAYEE><BANKACCTTO><ACCTID>FR99</ACCTID></BANKACCTTO></STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
""".encode()
CSV = {
    "sparkasse": (
        '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";'
        '"Kundenreferenz (End-to-End)";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";'
        '"Betrag";"Waehrung";"Info"\n'
        '"DE12";"15.03.24";"15.03.24";"GUTSCHRIFT";"Rechnung 1";"";"NOTPROVIDED";"Müller GmbH";"DE02";"B";'
        '"1.250,50";"EUR";"Umsatz gebucht"\n'
    ).encode("cp1252"),
    "dkb": (
        '"Konto";"Girokonto DE12"\n""\n"Kontostand vom 01.04.2024:";"1.000,00 EUR"\n""\n"Buchungsdatum";'
        '"Wertstellung";"Status";"Zahlungspflichtige*r";"Verwendungszweck";"IBAN";"Betrag (€)"\n'
        '"28.03.24";"28.03.24";"Gebucht";"Max";"RF18 5390 0754 7034";"DE02";"12,5"\n'
    ).encode(),
    "n26": (
        b'"Date","Payee","Account number","Transaction type","Payment reference","Amount (EUR)"\n'
        b'"2024-03-15","Ann","DE02","Income","INV 1","100.0"\n'
    ),
    "revolut": (
        b"Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\n"
        b"TRANSFER,Current,2024-03-01 10:00:00,2024-03-01 10:00:01,From Bob,100.00,0.50,EUR,COMPLETED,199.50\n"
        b"CARD,Current,2024-03-02 10:00:00,2024-03-02 10:00:01,Shop,-10.00,0.00,EUR,COMPLETED,189.50\n"
        b"CARD,Current,2024-03-02 10:00:00,,Shop,-10.00,0.00,EUR,PENDING,\n"
    ),
    "chase": (
        b"Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n"
        b"CREDIT,03/15/2024,ACME,1500.00,ACH_CREDIT,2500.00,,\nDEBIT,03/14/2024,FEE,-15.00,FEE,1000.00,,\n"
    ),
    "ing": (
        b'"Datum","Naam / Omschrijving","Rekening","Tegenrekening","Code","Af Bij","Bedrag (EUR)","Mededelingen"\n'
        b'"20240315","Jan","NL01","NL02","GT","Bij","12,50","Factuur 12"\n'
        b'"20240316","Piet","NL01","NL02","GT","Af","2,50","Factuur 13"\n'
    ),
    "british": (
        b"Date,Type,Description,Money Out,Money In,Balance\n"
        b"15 Mar 2024,BGC,ACME,,100.00,200.00\n16 Mar 2024,DD,GAS,50.00,,150.00\n"
    ),
    "excel": "Date;Description;Amount\n04.03.2024;Ä;1,00\n".encode("utf-16"),
    "wise": (
        b'"TransferWise ID",Date,Amount,Currency,Description,"Running Balance"\nT-1,15-03-2024,100.00,USD,Paid,100.00\n'
    ),
}
EVERYTHING = {**SAMPLES, "ofx 1": OFX_1, "ofx 2": OFX_2, **{f"csv {name}": raw for name, raw in CSV.items()}}
