"""The flow module's settings, as `CAREWRIGHT_FLOW_<FIELD>` or the `[flow]` table of a settings file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSettings:
    """Where sensors are heard over MQTT. What limits everything else are rules, and those are in `model` and in the contracts.

    `mqtt_url` is the hospital's broker, as `mqtts://broker.hospital.internal:8883`; none is heard without it. `mqtt://` is in the clear: on
    this machine, or with `mqtt_plain` beyond it, where a tunnel ends TLS. `mqtt_user` and the first line of `mqtt_password_file` are the
    account there. The other `mqtt_…_file` are PEM files: who signs the broker's certificate (the system's authorities unless named), and
    ours with its key, where the broker asks for one. `mqtt_organization` is whose sensors are heard there, where several organizations
    share an installation; without it anybody's.
    """

    mqtt_url: str = ""
    mqtt_plain: bool = False
    mqtt_user: str = ""
    mqtt_password_file: str = ""
    mqtt_authority_file: str = ""
    mqtt_certificate_file: str = ""
    mqtt_key_file: str = ""
    mqtt_organization: str = ""
