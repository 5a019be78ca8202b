"""Certificates for a test, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


ELLIPTIC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:2048")


class Authority:
    """A certificate authority with a folder of its own. All its keys are of one kind."""

    def __init__(self, folder: Path, name: str, kind: tuple[str, ...] = ELLIPTIC) -> None:
        self._folder = folder
        self._kind = kind
        self.certificate = folder / f"{name}.crt"
        self._key = folder / f"{name}.key"
        _openssl(
            *("req", "-x509", *kind, "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-keyout", str(self._key), "-out", str(self.certificate)),
        )

    def issue(self, name: str, alternatives: str) -> tuple[Path, Path]:
        """A certificate with these alternative names, as openssl writes them (DNS:a,IP:1.2.3.4), and its key."""
        key, request, certificate = (self._folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternatives}\n")
        _openssl(
            *("req", *self._kind, "-nodes"),
            *("-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request)),
        )
        _openssl(
            *("x509", "-req", "-days", "2", "-in", str(request), "-CA", str(self.certificate), "-CAkey"),
            *(str(self._key), "-CAcreateserial", "-extfile", str(extensions), "-out", str(certificate)),
        )
        return certificate, key


def self_signed(folder: Path, name: str, extension: str) -> tuple[Path, Path]:
    """A certificate that nobody else vouches for, with an extension as openssl writes it, and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", f"/CN={name}", "-addext", extension, "-keyout", str(key), "-out", str(certificate)),
    )
    return certificate, key


def as_pkcs1(key: Path) -> Path:
    """An RSA key in the older of its two formats, which many files still have."""
    older = key.with_suffix(".pkcs1.key")
    _openssl("rsa", "-traditional", "-in", str(key), "-out", str(older))
    assert "BEGIN RSA PRIVATE KEY" in older.read_text()
    return older
