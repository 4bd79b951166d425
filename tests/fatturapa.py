"""E-invoices written from scratch, and signed by nobody: valid envelopes, empty signatures."""

import base64
import io
import zipfile
from xml.sax.saxutils import escape

from asn1crypto import cms

UTILITY = "01234567890"  # as in the settings of the tests
PDF = b"%PDF-1.4\nuna fattura\n%%EOF\n"


def element(name, *content, **fields):
    """`<name>…</name>`: `content` is XML, `fields` become one text element each."""
    inner = "".join(content) + "".join(
        f"<{key}>{escape(str(value))}</{key}>" for key, value in fields.items() if value is not None
    )
    return f"<{name}>{inner}</{name}>"


def payment(due="2026-11-20", amount="122.00", **fields):
    return element(
        "DettaglioPagamento",
        ModalitaPagamento="MP05",
        DataScadenzaPagamento=due,
        ImportoPagamento=amount,
        **fields,
    )


def line(description="Energia elettrica", price="100.00", notes=()):
    """A DettaglioLinee; `notes` are (TipoDato, RiferimentoTesto)."""
    others = [
        element("AltriDatiGestionali", TipoDato=kind, RiferimentoTesto=text) for kind, text in notes
    ]
    return element(
        "DettaglioLinee",
        element("NumeroLinea", "1"),
        element("Descrizione", escape(description)),
        element("PrezzoTotale", price),
        element("AliquotaIVA", "22.00"),
        *others,
    )


def attachment(content=PDF, name="fattura.pdf", **fields):
    encoded = base64.encodebytes(content).decode() if isinstance(content, bytes) else content
    return element("Allegati", NomeAttachment=name, **fields, Attachment=encoded)


def body(
    number="F1",
    date="2026-10-31",
    kind="TD01",
    total="122.00",
    *,
    summaries=(("100.00", "22.00"),),
    payments=None,
    lines=None,
    causale=(),
    attachments=(),
    contract=None,
    extra="",
    **general,
):
    """A FatturaElettronicaBody. `extra` is XML inside DatiGeneraliDocumento."""
    document = element(
        "DatiGeneraliDocumento",
        element("TipoDocumento", kind) if kind else "",
        element("Divisa", general.pop("Divisa", "EUR")),
        extra,
        *(element("Causale", escape(text)) for text in causale),
        Data=date,
        Numero=number,
        ImportoTotaleDocumento=total,
        **general,
    )
    contracts = element("DatiContratto", IdDocumento=contract) if contract else ""
    taxed = [
        element("DatiRiepilogo", AliquotaIVA="22.00", ImponibileImporto=net, Imposta=tax)
        for net, tax in summaries
    ]
    payments = [payment()] if payments is None else payments
    return element(
        "FatturaElettronicaBody",
        element("DatiGenerali", document, contracts),
        element("DatiBeniServizi", *(lines or [line()]), *taxed),
        element("DatiPagamento", *payments) if payments else "",
        *attachments,
    )


def header(issuer=UTILITY, vat=None, tax_code=None, country="IT"):
    def identity(vat, tax_code=None, country="IT"):
        number = element("IdFiscaleIVA", IdPaese=country, IdCodice=vat) if vat else ""
        return element("DatiAnagrafici", number, CodiceFiscale=tax_code)

    return element(
        "FatturaElettronicaHeader",
        element("CedentePrestatore", identity(issuer)),
        element("CessionarioCommittente", identity(vat, tax_code, country)),
    )


def text(*bodies, encoding="UTF-8", namespace="http://example.it/v1.2", prefix="p:", **who):
    """A whole FatturaElettronica as text; `who` goes to `header`."""
    who = who or {"vat": "09876543210"}
    declared = f'xmlns:{prefix[:-1]}="{namespace}"' if prefix else f'xmlns="{namespace}"'
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<{prefix}FatturaElettronica versione="FPR12" {declared}>'
        f"{header(**who)}{''.join(bodies or [body()])}"
        f"</{prefix}FatturaElettronica>"
    )


def xml(*bodies, **options):
    return text(*bodies, **options).encode()


# -- Signed ------------------------------------------------------------------------------------


def signed(content):
    """A DER envelope (CMS SignedData, RFC 5652) around `content`, without signers."""
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [],
            "encap_content_info": {"content_type": "data", "content": content},
            "signer_infos": [],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()


def tlv(tag, content):
    """A BER element of definite length."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def open_ended(tag, content):
    """A BER element of indefinite length."""
    return bytes([tag, 0x80]) + content + b"\0\0"


SIGNED_DATA = tlv(0x06, bytes.fromhex("2a864886f70d010702"))
DATA = tlv(0x06, bytes.fromhex("2a864886f70d010701"))
VERSION, NONE = tlv(0x02, b"\1"), tlv(0x31, b"")


def signed_in_pieces(content, wrap=open_ended, size=100, kind=SIGNED_DATA):
    """The same with `content` cut in octet strings of `size`, as streaming signers write it."""
    pieces = [tlv(0x04, content[at : at + size]) for at in range(0, len(content), size)]
    inner = wrap(0x30, DATA + wrap(0xA0, wrap(0x24, b"".join(pieces))))
    return wrap(0x30, kind + wrap(0xA0, wrap(0x30, VERSION + NONE + inner + NONE)))


def detached():
    data = tlv(0x30, VERSION + NONE + tlv(0x30, DATA) + NONE)
    return tlv(0x30, SIGNED_DATA + tlv(0xA0, data))


def pem(content):
    return b"-----BEGIN PKCS7-----\n" + base64.encodebytes(content) + b"-----END PKCS7-----\n"


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    """A ZIP of {name or ZipInfo: bytes}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
