"""The statements by which believers are found in the ledger.

Each is a template: `told` (`told_in_range` where `first` and `last` are given, with many in between), `untrue` and
`class_` are its parts with or without classes of recipients, `partition` and `announcement` say whose ledger it reads.
"""

from __future__ import annotations

_CLASSES = """
    unnest(CAST(:languages AS text[]), CAST(:tag_sets AS int[]), CAST(:of_class AS int[]))
        AS k (language, tag_set, number)
"""

# With classes, each delivery's recipient is looked up, as their newest row has them: what is untrue depends on whom it
# concerns. Of a range of ids whoever has a present row is joined at once, which Postgres does side by side; the others,
# and a few of whom nobody knows how far apart they are, one after the other.
EACH = f"""
    CROSS JOIN LATERAL (
        SELECT x.language, x.tag_set FROM recipients x WHERE x.id = d.recipient_id ORDER BY x.since DESC LIMIT 1
    ) n
    LEFT JOIN {_CLASSES} ON (k.language, k.tag_set) = (n.language, n.tag_set)
"""  # noqa: S608 - only constants are put together
RANGE = f"""
    LEFT JOIN recipients p ON p.id = d.recipient_id AND p.until IS NULL AND p.id BETWEEN :first AND :last
    LEFT JOIN LATERAL (
        SELECT x.language, x.tag_set FROM recipients x
        WHERE p.id IS NULL AND x.id = d.recipient_id ORDER BY x.since DESC LIMIT 1
    ) n ON true
    LEFT JOIN {_CLASSES}
    ON (k.language, k.tag_set) = (coalesce(p.language, n.language), coalesce(p.tag_set, n.tag_set))
"""  # noqa: S608 - only constants are put together
TOLD = {
    False: """
        {partition} d
        JOIN unnest(CAST(:broadcasts AS text[]), CAST(:revisions AS int[]), CAST(:untrue AS boolean[]))
             AS t (broadcast_id, revision, untrue)
        ON (t.broadcast_id, t.revision) = (d.broadcast_id, d.revision)
    """,
    True: """
        {partition} d
        JOIN (
            SELECT x.broadcast_id, x.revision, CAST(x.untrue AS int[]) AS untrue
            FROM unnest(CAST(:broadcasts AS text[]), CAST(:revisions AS int[]), CAST(:untrue AS text[]))
                 AS x (broadcast_id, revision, untrue)
            OFFSET 0
        ) AS t
        ON (t.broadcast_id, t.revision) = (d.broadcast_id, d.revision)
        {recipients}
    """,
}
TOLD = {classed: " ".join(words.split()) for classed, words in TOLD.items()}
CLASS = {False: "0", True: "coalesce(k.number, 0)"}
UNTRUE = {False: "t.untrue", True: "(coalesce(k.number, 0) = ANY(t.untrue))"}

_HELD = "((d.outcome = 'accepted' AND d.receipt <> 'failed') OR d.outcome = 'unknown')"
_MOMENTS = """
    max(d.at) FILTER (WHERE {untrue} AND ((d.outcome = 'accepted' AND d.receipt <> 'failed') OR d.outcome = 'unknown'))
        AS untrue_at,
    max(d.at) FILTER (WHERE NOT {untrue} AND d.outcome = 'accepted' AND d.receipt <> 'failed') AS true_at,
    max(d.at) FILTER (WHERE NOT {untrue}) AS meant_at
"""
STALE = "b.untrue_at IS NOT NULL AND (b.true_at IS NULL OR b.true_at < b.untrue_at)"
UNCORRECTED = "b.untrue_at IS NOT NULL AND (b.meant_at IS NULL OR b.meant_at < b.untrue_at)"
# What a retry goes to: refused, or failed by a receipt, and not told by another retry, nor by this one.
_MISSED = f"""{STALE} AND EXISTS (
    SELECT 1 FROM {{partition}} f
    WHERE f.announcement = {{announcement}} AND f.broadcast_id = :retries AND f.recipient_id = b.recipient_id
      AND (f.outcome = 'rejected' OR f.receipt = 'failed')
) AND NOT EXISTS (
    SELECT 1 FROM broadcasts o
    JOIN {{partition}} f
    ON f.announcement = {{announcement}} AND f.broadcast_id = o.id AND f.recipient_id = b.recipient_id
    WHERE o.retries = :retries
      AND (o.id = :broadcast OR (f.outcome IN ('accepted', 'unknown') AND f.receipt <> 'failed'))
)"""  # noqa: S608 - only constants are put together
_WANTED = {False: UNCORRECTED, True: _MISSED}
_ANNOUNCED = "d.announcement = {announcement} AND d.broadcast_id = ANY(CAST(:ids AS text[]))"

ENDS = """
SELECT min(e.first) AS first, max(e.last) AS last
FROM unnest(CAST(:ids AS text[])) i (id)
CROSS JOIN LATERAL (
    SELECT (SELECT min(d.recipient_id) FROM {partition} d
            WHERE d.announcement = {announcement} AND d.broadcast_id = i.id) AS first,
           (SELECT max(d.recipient_id) FROM {partition} d
            WHERE d.announcement = {announcement} AND d.broadcast_id = i.id) AS last
) e
"""

COUNT = f"""
SELECT b.class_, count(*) FILTER (WHERE {STALE}) AS stale, count(*) FILTER (WHERE {UNCORRECTED}) AS uncorrected
FROM (
    SELECT max({{class_}}) AS class_, {_MOMENTS} FROM {{told_in_range}}
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last
    GROUP BY d.recipient_id
) b GROUP BY b.class_
"""  # noqa: S608 - only constants are put together

# Where all that was told is untrue for some classes, and none of it for the others, whoever of those was told anything
# is stale, and nobody was meant to be corrected. By class, those with a present row are asked whether they were told,
# which takes twice the time; then the others.
COUNT_ALL = {
    False: f"""
SELECT 0 AS class_, count(*) AS stale, count(*) AS uncorrected FROM (
    SELECT DISTINCT d.recipient_id FROM {{partition}} d
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last AND {_HELD}
) b
""",  # noqa: S608 - only constants are put together
    True: f"""
SELECT coalesce(k.number, 0) AS class_, count(*) AS stale, count(*) AS uncorrected FROM (
    SELECT p.id, p.language, p.tag_set FROM recipients p
    WHERE p.id BETWEEN :first AND :last AND p.until IS NULL
    UNION ALL
    (SELECT DISTINCT ON (f.id) f.id, f.language, f.tag_set FROM recipients f
     WHERE f.id BETWEEN :first AND :last AND f.until IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM recipients p WHERE p.id = f.id AND p.until IS NULL)
     ORDER BY f.id, f.since DESC)
) n
LEFT JOIN {_CLASSES} ON (k.language, k.tag_set) = (n.language, n.tag_set)
WHERE coalesce(k.number, 0) = ANY(CAST(:untrue_for AS int[])) AND EXISTS (
    SELECT 1 FROM {{partition}} d
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last AND {_HELD} AND d.recipient_id = n.id
)
GROUP BY 1
""",  # noqa: S608 - only constants are put together
}

# Also who was told something untrue in the middle: by a call that was under way when it stopped being true.
TRACE = f"""
SELECT count(*) AS before, count(*) FILTER (WHERE s.still) AS after,
       coalesce(sum(extract(epoch FROM CASE WHEN s.still THEN :until ELSE s.corrected_at END - s.began)), 0)::float8
           AS seconds,
       (SELECT array_agg(n.number ORDER BY n.wait) FROM (
            SELECT w.wait, count(*) FILTER (WHERE c.seconds <= w.wait) AS number
            FROM unnest(CAST(:waits AS float8[])) w (wait)
            LEFT JOIN unnest(array_agg(extract(epoch FROM s.corrected_at - s.began)) FILTER (WHERE NOT s.still))
                AS c (seconds) ON true
            GROUP BY w.wait
        ) n) AS within
FROM (
    SELECT coalesce(b.untrue_at > b.true_at, true) AS still,
           (SELECT min(c.at) FROM unnest(b.told_at) c (at) WHERE c.at > b.untrue_at) AS corrected_at,
           CASE WHEN b.untrue_before IS NOT NULL AND (b.true_before IS NULL OR b.true_before < b.untrue_before)
                THEN CAST(:since AS timestamptz) ELSE b.slipped END AS began
    FROM (
        SELECT {_MOMENTS},
               max(d.at) FILTER (WHERE {{untrue}} AND {_HELD} AND d.at <= :since) AS untrue_before,
               max(d.at) FILTER (WHERE NOT {{untrue}} AND {_HELD} AND d.outcome = 'accepted' AND d.at <= :since)
                   AS true_before,
               array_agg(d.at) FILTER (WHERE NOT {{untrue}} AND {_HELD} AND d.outcome = 'accepted') AS told_at,
               min(d.at) FILTER (WHERE {{untrue}} AND {_HELD} AND d.at > :since) AS slipped
        FROM {{told_in_range}}
        WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last AND d.at <= :until
        GROUP BY d.recipient_id
    ) b
    WHERE b.untrue_at IS NOT NULL
) s WHERE s.began IS NOT NULL
"""  # noqa: S608 - only constants are put together

# Of those for whom the truth was meant and who did not get it: they are few, whatever the size of the ledger.
REASONS = f"""
WITH missed AS (
    SELECT DISTINCT ON (d.recipient_id) d.recipient_id, d.at, d.reason,
           CASE WHEN d.outcome = 'accepted' THEN 'failed' ELSE d.outcome END AS outcome
    FROM {{told}}
    WHERE {_ANNOUNCED} AND NOT {{untrue}} AND (d.outcome <> 'accepted' OR d.receipt = 'failed')
    ORDER BY d.recipient_id, d.at DESC
), believed AS (
    SELECT d.recipient_id, {_MOMENTS} FROM {{told}}
    WHERE {_ANNOUNCED} AND d.recipient_id IN (SELECT recipient_id FROM missed)
    GROUP BY d.recipient_id
)
SELECT m.outcome, m.reason, count(*) AS number FROM missed m JOIN believed b USING (recipient_id)
WHERE {STALE} AND NOT ({UNCORRECTED})
GROUP BY 1, 2
"""  # noqa: S608 - only constants are put together

# Each broadcast is looked at for so many recipients; up to the first one that does not reach further all are known.
NEXT = {
    retrying: f"""
WITH reached AS MATERIALIZED (
    SELECT i.id, l.last, l.number FROM unnest(CAST(:ids AS text[])) i (id)
    CROSS JOIN LATERAL (
        SELECT max(s.recipient_id) AS last, count(*) AS number FROM (
            SELECT d.recipient_id FROM {{partition}} d
            WHERE d.announcement = {{announcement}} AND d.broadcast_id = i.id AND d.recipient_id > :after
            ORDER BY d.recipient_id LIMIT :scanned
        ) s
    ) l
), edge AS (
    SELECT coalesce(min(last) FILTER (WHERE number = :scanned), max(last)) AS last FROM reached
), found AS MATERIALIZED (
    SELECT b.recipient_id AS id FROM (
        SELECT d.recipient_id, {_MOMENTS} FROM {{told}}
        WHERE {_ANNOUNCED} AND d.recipient_id > :after AND d.recipient_id <= (SELECT last FROM edge)
        GROUP BY d.recipient_id
    ) b WHERE {wanted} ORDER BY 1 LIMIT :size
)
SELECT CASE WHEN (SELECT count(*) FROM found) = :size THEN (SELECT max(id) FROM found)
            ELSE (SELECT last FROM edge) END AS last,
       (SELECT count(*) FROM found) AS size
"""  # noqa: S608 - only constants are put together
    for retrying, wanted in _WANTED.items()
}

IN_RANGE = {
    retrying: f"""
SELECT r.id, r.handle, r.sealed, r.language,
       (SELECT coalesce(nullif(s.reason, ''), 'opted out') FROM suppressions s
        WHERE s.handle = r.handle AND s.channel IN ('', :channel) LIMIT 1),
       r.tag_set, b.held
FROM (
    SELECT d.recipient_id, {_MOMENTS}, bool_or(d.broadcast_id = :broadcast) AS settled,
           (array_agg(d.broadcast_id || '@' || d.revision || '#' || {{class_}} ORDER BY d.at DESC, d.broadcast_id)
            FILTER (WHERE {{untrue}} AND {_HELD}))[1] AS held
    FROM {{told}}
    WHERE {_ANNOUNCED} AND d.recipient_id BETWEEN :first AND :last
    GROUP BY d.recipient_id
) b
CROSS JOIN LATERAL (SELECT * FROM recipients n WHERE n.id = b.recipient_id ORDER BY n.since DESC LIMIT 1) r
WHERE {wanted} AND NOT b.settled ORDER BY r.id
"""  # noqa: S608 - only constants are put together
    for retrying, wanted in _WANTED.items()
}
