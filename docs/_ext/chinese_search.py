"""Search in the Chinese pages: Sphinx alone indexes no Chinese word without a dictionary of words.

Runs of Chinese characters are indexed as pairs, and what a reader types is cut into the same pairs, all of
which a page has to hold. So any word of two characters and more is found, in no dictionary or not.
"""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese

_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")


class ChinesePairs(SearchChinese):
    """Pairs of neighbouring Chinese characters; Latin words as Sphinx has them."""

    # Sphinx 9.0 calls the stemmer by this name, and there is none of Chinese: every search failed
    language_name = "English"

    js_splitter_code = r"""
var splitQuery = function (query) {
  const words = query.match(/[\u3400-\u4dbf\u4e00-\u9fff]+|[^\s\u3400-\u4dbf\u4e00-\u9fff]+/g) || [];
  const pairs = (word) => Array.from({ length: word.length - 1 }, (_, n) => word.slice(n, n + 2));
  return words.flatMap((word) => (/^[\u3400-\u9fff]{3,}$/.test(word) ? pairs(word) : [word]));
};
"""

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name that Sphinx gives it
        """Return the pairs and the Latin words of a text."""
        latin = self.latin1_letters.findall(input)
        self.latin_terms.update(latin)
        runs = _RUN.findall(input)
        return [run[n : n + 2] for run in runs for n in range(max(1, len(run) - 1))] + latin


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of Sphinx's own search in Chinese."""
    app.add_search_language(ChinesePairs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
