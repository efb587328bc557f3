"""Fills TF Hub's cache by hand, as on a machine without a network."""

import hashlib
import shutil

TFHUB = "https://tfhub.dev/tensorflow"
SMALL_BERT = "small_bert/bert_en_uncased_L-4_H-128_A-2"
HANDLES = {
    "preprocess": f"{TFHUB}/bert_en_uncased_preprocess/3",
    "encoder": f"{TFHUB}/{SMALL_BERT}/1",
}


def fill_tfhub_cache(cache, modules):
    """Copies modules to the folders that TF Hub uses for two handles."""
    for name, handle in HANDLES.items():
        shutil.copytree(modules / name, cache / hashlib.sha1(handle.encode()).hexdigest())
