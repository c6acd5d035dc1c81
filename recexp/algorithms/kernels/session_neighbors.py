"""Item scores from the sessions most similar to the query's session."""

import numpy as np

from recexp.kernels import jit


@jit(inner=True)
def share_items(items, weights, links, item_ptr, item_sessions, item_places, heads, current, found, sums, link, anchor):
    """Find the sessions with any of `items`, of highest number first, at most as many as `found` holds; count them.

    `items` come latest first. Session found[n] has sums[n], the weights of the items shared, link[n], the link of the
    latest of them, and anchor[n], the last of their places in it.
    """
    d, size = len(items), 0
    for i in range(d):
        heads[i] = item_ptr[items[i] + 1] - 1
        current[i] = item_sessions[heads[i]] if heads[i] >= item_ptr[items[i]] else -1
    while size < len(found):
        newest = np.int32(-1)
        for i in range(d):
            newest = max(newest, current[i])
        if newest < 0:
            break
        total, first, last = 0.0, -1.0, np.int32(0)
        for i in range(d):
            if current[i] != newest:
                continue
            total += weights[i]
            if first < 0:
                first = links[i]
            last = max(last, item_places[heads[i]])
            heads[i] -= 1
            current[i] = item_sessions[heads[i]] if heads[i] >= item_ptr[items[i]] else -1
        found[size], sums[size], link[size], anchor[size] = newest, total, first, last
        size += 1
    return size


@jit(inner=True)
def keep_nearest(similarity, size, k, kept):
    """Put the positions of the k largest of similarity[:size] into `kept`, in order, the first of equals; return k."""
    if size <= k:
        for n in range(size):
            kept[n] = n
        return size
    limit = np.partition(similarity[:size], size - k)[size - k]
    equals = k
    for n in range(size):
        equals -= similarity[n] > limit
    count = 0
    for n in range(size):
        if similarity[n] > limit or (similarity[n] == limit and equals > 0):
            equals -= similarity[n] == limit
            kept[count] = n
            count += 1
    return count


@jit
def neighbor_scores(
    ptr,
    asked,
    weights,
    links,
    item_ptr,
    item_sessions,
    item_places,
    session_ptr,
    session_items,
    session_places,
    factors,
    times,
    rate,
    by_distance,
    boost,
    k,
    sample,
    out,
):
    """Fill `out`, zeros (b, n_items), with the scores of b queries, in each row the largest 1.

    Query q asks with the items asked[ptr[q]:ptr[q + 1]], latest first. Sessions are numbered by age, the newest last.
    Of the `sample` newest that share an item, those k count whose similarity is largest: the sum of weights of shared
    items, times factors[s] and exp(rate * (times[s] - those of the newest found)). Item j of a neighbor gets its
    similarity times the link of the latest item shared, times by_distance of the places between j and the last item
    shared; sums are multiplied by boost[j].
    """
    most, longest = min(sample, len(times)), 0
    for q in range(len(out)):
        longest = max(longest, ptr[q + 1] - ptr[q])
    heads, current = np.empty(longest, np.int64), np.empty(longest, np.int32)
    found, kept, anchor = np.empty(most, np.int32), np.empty(most, np.int64), np.empty(most, np.int32)
    similarity, link = np.empty(most), np.empty(most)
    touched, sums = np.empty(out.shape[1], np.int32), np.zeros(out.shape[1])
    for q in range(len(out)):
        own = slice(ptr[q], ptr[q + 1])
        size = share_items(
            asked[own],
            weights[own],
            links[own],
            item_ptr,
            item_sessions,
            item_places,
            heads,
            current,
            found,
            similarity,
            link,
            anchor,
        )
        for n in range(size):
            similarity[n] *= factors[found[n]]
            if rate > 0:
                similarity[n] *= np.exp(rate * (times[found[n]] - times[found[0]]))
        count, largest = 0, 0.0
        for c in range(keep_nearest(similarity, size, k, kept)):
            n = kept[c]
            value = similarity[n] * link[n]
            for at in range(session_ptr[found[n]], session_ptr[found[n] + 1]):
                item, added = session_items[at], value * by_distance[abs(session_places[at] - anchor[n])]
                if added == 0:  # the decay has underflowed
                    continue
                if sums[item] == 0:
                    touched[count] = item
                    count += 1
                sums[item] += added
        for t in range(count):
            largest = max(largest, sums[touched[t]] * boost[touched[t]])
        for t in range(count):
            item = touched[t]
            out[q, item] = sums[item] * boost[item] / (largest if largest > 0 else 1.0)
            sums[item] = 0
