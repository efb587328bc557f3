"""The one place where Keras is imported.

Keras here is ``tf_keras`` (the Keras 2 API), because ``hub.KerasLayer`` and
``tf-models-official`` are written for it. ``tf.keras`` in TensorFlow 2.20 is
Keras 3, whose models they cannot join; which of the two ``tf.keras`` means can
be switched by the variable TF_USE_LEGACY_KERAS, and nothing here depends on it.
"""

import tf_keras as keras

__all__ = ["keras"]
