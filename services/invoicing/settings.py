"""Settings of the invoicing service."""

import base64
import binascii
from pathlib import Path

from chassis.settings import BaseServiceSettings, SettingsError

MINIMUM_KEY_BYTES = 32


class InvoicingSettings(BaseServiceSettings):
    """What invoicing takes besides the shared settings."""

    pay_link_key_file: Path | None = None
    """Base64 of 32 random bytes or more that prove pay links; another key makes all sent links useless."""

    def pay_link_key(self) -> bytes:
        """The key itself. Raises SettingsError if the file is missing or too short."""
        path: Path = self.required("pay_link_key_file")
        try:
            key = base64.b64decode(path.read_bytes().strip(), validate=True)
        except (OSError, binascii.Error) as error:
            raise SettingsError(f"TALLYPORT_PAY_LINK_KEY_FILE: {path}: {error}") from None
        if len(key) < MINIMUM_KEY_BYTES:
            raise SettingsError(f"TALLYPORT_PAY_LINK_KEY_FILE: {path} holds fewer than 32 bytes")
        return key
