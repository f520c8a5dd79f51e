"""One key pair a run: who holds it is of the run, all others are refused.

Scheduler, workers, drivers and thin commands show the same self-signed certificate to each other
and accept no other, so that on a shared machine nobody else can send them work.
"""

import datetime
import os
import ssl
from pathlib import Path

from lingqu.base.errors import LingquError

KEY, CERTIFICATE = "key.pem", "cert.pem"
_DAYS = 400


def _write_private(path: Path, text: bytes) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(text)


def make_credentials(folder: Path, run: str) -> None:
    """Write a new key (P-256) and its certificate into `folder`; only the owner may read them."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise LingquError(
            "cryptography is missing, and workers take no work without it;"
            " pip install 'lingqu[slurm]'"
        ) from None

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"lingqu {run}")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks of nodes differ
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_private(folder / KEY, private)
    _write_private(folder / CERTIFICATE, certificate.public_bytes(encoding))


def context(folder: Path, server: bool) -> ssl.SSLContext:
    """TLS for one side of a connection: shows the run's certificate, accepts the run's only."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False  # the one certificate stands for the run, not for a machine
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(folder / CERTIFICATE)
    made.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    return made


def security(folder: Path):
    """The same for Dask (distributed.Security); None where `folder` holds no keys."""
    from distributed import Security

    if not (folder / KEY).exists():
        return None
    key, certificate = str(folder / KEY), str(folder / CERTIFICATE)
    of_all = {
        f"tls_{role}_{what}": path
        for role in ("scheduler", "worker", "client")
        for what, path in (("key", key), ("cert", certificate))
    }
    return Security(require_encryption=True, tls_ca_file=certificate, **of_all)
