"""The articles of Wikipedia that gensim ships: the start of a dump."""

import bz2
from xml.etree import ElementTree

DUMP = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"


def articles(quick):
    """Returns the wikitext, by title, of the articles; of half of them if this is to be quick."""
    from gensim.test.utils import datapath

    with bz2.open(datapath(DUMP)) as dump:
        pages = ElementTree.parse(dump).getroot().iterfind("{*}page")  # noqa: S314 (gensim's own file)
        texts = {page.findtext("{*}title"): page.findtext("{*}revision/{*}text") for page in pages}
    texts = {title: text for title, text in texts.items() if not text.startswith("#")}
    return dict(list(texts.items())[::2]) if quick else texts
