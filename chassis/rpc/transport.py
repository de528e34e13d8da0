"""What both ends of a connection share: mTLS credentials from files, names, size limits, keepalive.

Servers pick up renewed certificate files by themselves; clients when the process starts anew.
"""

from pathlib import Path
from typing import Any, Final

import grpc

from chassis.settings import BaseServiceSettings

IDEMPOTENCY_REPLAYED: Final = "idempotency-replayed"
"""Trailer of an answer that is the stored one of an earlier call with the same key."""
MAX_MESSAGE_BYTES: Final = 12 * 1024 * 1024

CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)

_Stamp = tuple[int, int, int]


class CertificateFiles:
    """The authority, certificate and key of this process."""

    def __init__(self, ca: Path, certificate: Path, key: Path) -> None:
        self._paths: Final = (ca, certificate, key)
        self._stamp: _Stamp | None = None

    @classmethod
    def of(cls, settings: BaseServiceSettings) -> "CertificateFiles":
        """Raises SettingsError when one is not configured: there is no way to run without mTLS."""
        return cls(
            settings.required("tls_ca_file"),
            settings.required("tls_cert_file"),
            settings.required("tls_key_file"),
        )

    def server_credentials(self) -> grpc.ServerCredentials:
        """Demands a client certificate of our authority; asks for changed files at each handshake."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(), self._changed, require_client_authentication=True
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Shows our certificate and trusts our authority only."""
        ca, certificate, key = (path.read_bytes() for path in self._paths)
        return grpc.ssl_channel_credentials(ca, key, certificate)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        self._stamp = self._read_stamp()
        ca, certificate, key = (path.read_bytes() for path in self._paths)
        return grpc.ssl_server_certificate_configuration([(key, certificate)], root_certificates=ca)

    def _changed(self) -> Any:
        try:
            return self._configuration() if self._read_stamp() != self._stamp else None
        except OSError:
            return None  # files are being replaced: the old ones serve this handshake

    def _read_stamp(self) -> _Stamp:
        ca, certificate, key = (path.stat().st_mtime_ns for path in self._paths)
        return ca, certificate, key
