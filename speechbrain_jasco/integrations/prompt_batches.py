"""Which prompts go through a model together: a plan that saves tokens.

Judge prompts begin with the rubric, which all of them share, then comes the
clip, which its answers share. Prompts with a long beginning in common are a
family; what is left of them is batched by length, across families.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os
from typing import List, NamedTuple, Tuple


class Family(NamedTuple):
    """Prompts that begin alike.

    Arguments
    ---------
    shared : int
        So many tokens they have in common; at least one of each is left.
    indices : list of int
        Which they are.

    Example
    -------
    >>> Family(2, [0, 3]).shared
    2
    """

    shared: int
    indices: List[int]


class Plan(NamedTuple):
    """Families that are begun together, then finished in batches.

    Arguments
    ---------
    families : list of Family
        The families.
    batches : list of list of (int, int)
        Position of the family, index of the row.

    Example
    -------
    >>> Plan([Family(2, [0])], [[(0, 0)]]).batches
    [[(0, 0)]]
    """

    families: List[Family]
    batches: List[List[Tuple[int, int]]]


def shared_length(rows):
    """Number of tokens that rows have in common, and one less than the shortest.

    Arguments
    ---------
    rows : list of list of int
        Token ids, at least one row.

    Returns
    -------
    int

    Example
    -------
    >>> shared_length([[1, 2, 3], [1, 2, 4]]), shared_length([[1, 2], [1, 2]])
    (2, 1)
    """
    shortest = min(len(row) for row in rows)
    return min(len(os.path.commonprefix(rows)), max(shortest - 1, 0))


def find_families(rows, shared_by_all=0):
    """Group rows by what they begin with.

    Neighbours in the dictionary's order are joined as long as that saves
    tokens: one more row need not read the family's beginning, but may shorten
    it for the others.

    Arguments
    ---------
    rows : list of list of int
        Token ids.
    shared_by_all : int
        Tokens that all rows have in common and that cost nothing any more.

    Returns
    -------
    list of Family
        Every row is in one of them.

    Example
    -------
    >>> find_families([[7, 1, 1, 2], [7, 5, 5], [7, 1, 1, 3]], shared_by_all=1)
    [Family(shared=3, indices=[0, 2]), Family(shared=1, indices=[1])]
    """
    families = []
    for i in sorted(range(len(rows)), key=lambda i: (rows[i], i)):
        if families:
            family = families[-1]
            alone = len(family.indices) == 1
            first = rows[family.indices[0]]
            shared = shared_length([first, rows[i]])
            # A family of one has no beginning to lose.
            shared = shared if alone else min(shared, family.shared)
            lost = 0 if alone else family.shared - shared
            gained = shared - shared_by_all
            if gained > lost * len(family.indices):
                families[-1] = Family(shared, [*family.indices, i])
                continue
        families.append(Family(shared_by_all, [i]))
    return families


def plan_batches(rows, batch_size, shared_by_all=0):
    """Divide rows into batches of like length.

    Arguments
    ---------
    rows : list of list of int
        Token ids.
    batch_size : int
        Families that are begun at once, and rows in a batch.
    shared_by_all : int
        See ``find_families``.

    Returns
    -------
    list of Plan
        It depends on the rows, not on their order, so that sampled replies
        do not either.

    Example
    -------
    >>> (plan,) = plan_batches([[1], [2, 3, 4], [5, 6]], batch_size=3)
    >>> plan.batches
    [[(1, 1), (2, 2), (0, 0)]]
    """
    families = find_families(rows, shared_by_all)
    families.sort(key=lambda family: family.shared, reverse=True)
    return [
        _plan(families[start : start + batch_size], rows, batch_size)
        for start in range(0, len(families), batch_size)
    ]


def _plan(families, rows, batch_size):
    """Batch what is left of some families' rows, longest first."""
    members = [(k, i) for k, f in enumerate(families) for i in f.indices]
    members.sort(
        key=lambda m: len(rows[m[1]]) - families[m[0]].shared, reverse=True
    )
    starts = range(0, len(members), batch_size)
    return Plan(families, [members[s : s + batch_size] for s in starts])
