"""TF Hub modules: how they are found, fetched, installed and verified.

Importing this does not import TensorFlow; the names below do, on first use.
"""

from kerasnlp_lab._lazy import lazy_names

_HOMES = {
    "HubModules": "kerasnlp_lab.hub.modules",
    "encoders": "kerasnlp_lab.hub.catalogue",
    "find_encoder": "kerasnlp_lab.hub.catalogue",
    "hub_modules": "kerasnlp_lab.hub.installation",
    "install": "kerasnlp_lab.hub.installation",
    "minilm_modules": "kerasnlp_lab.hub.minilm",
    "verify_modules": "kerasnlp_lab.hub.verify",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
