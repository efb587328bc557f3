"""Opens corpora for tests."""

from kerasnlp_lab.data.corpus import CorpusSource, open_corpus


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(*paths, sentences_needed=True, **options):
    source = CorpusSource(paths=tuple(map(str, paths)), **options)
    return open_corpus(source, sentences_needed=sentences_needed)


def documents(*paths, **options):
    return list(opened(*paths, **options).documents())
