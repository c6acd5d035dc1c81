"""Deviations between items, row by row. Ratings come twice, by item and by user: begin int64, codes int32, float32."""

from recexp.kernels import jit


@jit
def count(start, stop, item_begin, item_users, user_begin, user_items, met, out):
    """out[i] = number of other items that users of item i have rated, for i in start..stop; `met` is -1 throughout."""
    for i in range(start, stop):
        met[i] = i
        for at in range(item_begin[i], item_begin[i + 1]):
            user = item_users[at]
            for other in range(user_begin[user], user_begin[user + 1]):
                j = user_items[other]
                if met[j] != i:
                    met[j] = i
                    out[i] += 1


@jit
def deviations(
    start,
    stop,
    item_begin,
    item_users,
    item_values,
    user_begin,
    user_items,
    user_values,
    begin,
    out_items,
    out_values,
    sums,
    counts,
):
    """Fill rows start..stop, which `begin` delimits, with other items j and the mean of r_i - r_j over common users.

    `sums`, float64 (n_items,), and `counts`, int32 (n_items,), are 0 and end so.
    """
    for i in range(start, stop):
        end = begin[i]
        for at in range(item_begin[i], item_begin[i + 1]):
            user, value = item_users[at], item_values[at]
            for other in range(user_begin[user], user_begin[user + 1]):
                j = user_items[other]
                if counts[j] == 0 and j != i:
                    out_items[end] = j
                    end += 1
                counts[j] += 1
                sums[j] += value - user_values[other]
        sums[i], counts[i] = 0.0, 0
        for at in range(begin[i], end):
            j = out_items[at]
            out_values[at] = sums[j] / counts[j]
            sums[j], counts[j] = 0.0, 0


@jit
def predict(start, stop, groups, rows, items, queries, history_begin, history, begin, others, values, out, row, known):
    """out[r] = mean deviation of items[r] from the items of the history of queries[r] that it has one from, or 0.

    Group g, in start..stop, is the rows[groups[g]:groups[g + 1]], all of one item: its deviations are spread out once,
    to `row`, float64 (n_items,), where `known`, bool (n_items,), is True: it is False and ends so.
    """
    for g in range(start, stop):
        item = items[rows[groups[g]]]
        for at in range(begin[item], begin[item + 1]):
            row[others[at]], known[others[at]] = values[at], True
        for at in range(groups[g], groups[g + 1]):
            total, number = 0.0, 0
            query = queries[rows[at]]
            for h in range(history_begin[query], history_begin[query + 1]):
                if known[history[h]]:
                    total += row[history[h]]
                    number += 1
            out[rows[at]] = total / max(number, 1)
        for at in range(begin[item], begin[item + 1]):
            known[others[at]] = False


@jit
def score(start, stop, history_begin, history, begin, others, values, out, sums, counts):
    """Fill rows start..stop of float32 `out` (b, n_items) with what `predict` gives for every item.

    `sums`, float64 (n_items,), and `counts`, int32 (n_items,), are 0 and end so.
    """
    for query in range(start, stop):
        for h in range(history_begin[query], history_begin[query + 1]):
            for at in range(begin[history[h]], begin[history[h] + 1]):
                sums[others[at]] -= values[at]  # a deviation read the other way round
                counts[others[at]] += 1
        for item in range(len(sums)):
            out[query, item] = sums[item] / max(counts[item], 1)
            sums[item], counts[item] = 0.0, 0
