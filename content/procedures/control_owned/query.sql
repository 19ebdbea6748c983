WITH version AS (
  -- What was decided of controls and counts: from when each was in force or not, what that says of before, and since when it was known.
  SELECT v.control AS control, v.entry AS entry, v.valid_from AS valid_from, v.grade AS grade,
         CASE WHEN v.change = 'retired' THEN 0 ELSE 1 END AS held,
         CASE WHEN v.change = 'adopted' THEN 0 ELSE 1 END AS held_before,
         CASE WHEN v.approved_at > v.collected_at THEN v.approved_at ELSE v.collected_at END AS known_at
    FROM control_version v
   WHERE v.approved_by IS NOT NULL AND v.approved_at <= $cutoff
),
point AS (
  SELECT c.id AS id, c.control AS control, $from AS happened_at FROM control c WHERE c.in_scope = 1
  UNION
  SELECT c.id AS id, c.control AS control, v.valid_from AS happened_at
    FROM control c JOIN version v ON v.control = c.control AND v.valid_from > $from AND v.valid_from <= $as_of
   WHERE c.in_scope = 1
  UNION
  SELECT c.id AS id, c.control AS control, v.known_at AS happened_at
    FROM control c JOIN version v ON v.control = c.control AND v.known_at > $from AND v.known_at <= $as_of
   WHERE c.in_scope = 1
),
stretch AS (
  SELECT p.id AS id, p.control AS control, p.happened_at AS starts_at,
         COALESCE(lead(p.happened_at) OVER (PARTITION BY p.id ORDER BY p.happened_at ASC NULLS FIRST), $as_of + 1) AS ends_at
    FROM point p
),
looked AS (
  -- Each stretch by all that is known now (0), and by what was known then (1).
  SELECT s.id AS id, s.control AS control, s.starts_at AS starts_at, s.ends_at AS ends_at, k.back AS back,
         (SELECT max(v.valid_from) FROM version v
           WHERE v.control = s.control AND v.valid_from <= s.starts_at AND (k.back = 0 OR v.known_at <= s.starts_at)) AS valid_from
    FROM stretch s
    CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) k
),
said AS (
  -- What may have held: the latest of what had begun, whatever nobody says when it began, and what was there before the first.
  SELECT l.id AS id, l.starts_at AS starts_at, l.back AS back, v.held AS held
    FROM looked l
    JOIN version v ON v.control = l.control AND (v.valid_from = l.valid_from OR v.valid_from IS NULL)
          AND (l.back = 0 OR v.known_at <= l.starts_at)
  UNION ALL
  SELECT l.id AS id, l.starts_at AS starts_at, l.back AS back,
         COALESCE((SELECT v.held_before FROM version v
                    WHERE v.control = l.control AND (l.back = 0 OR v.known_at <= l.starts_at)
                    ORDER BY v.valid_from ASC NULLS FIRST, v.entry ASC NULLS FIRST, v.held_before ASC NULLS FIRST LIMIT 1), 1) AS held
    FROM looked l
   WHERE l.valid_from IS NULL
),
needed AS (
  -- When it had to be owned: in force by what was known then, or by what is known now.
  SELECT s.id AS id, s.control AS control, s.starts_at AS starts_at, s.ends_at AS ends_at,
         CASE WHEN min(CASE WHEN d.back = 0 THEN d.held END) < max(CASE WHEN d.back = 0 THEN d.held END) THEN 1 ELSE 0 END AS unsure
    FROM stretch s
    JOIN said d ON d.id = s.id AND d.starts_at = s.starts_at
   GROUP BY s.id, s.control, s.starts_at, s.ends_at
  HAVING max(d.held) = 1
),
kind AS (
  -- What an account is: a machine's or several people's all the time (2), for some time (1), never as far as is known (0).
  SELECT h.id AS id,
         max(CASE WHEN h.kind = 'human' OR h.kind = 'guest' OR h.kind = 'unknown' THEN 0 ELSE 1 END)
           + min(CASE WHEN h.kind = 'human' OR h.kind = 'guest' OR h.kind = 'unknown' THEN 0 ELSE 1 END) AS nobodys
    FROM account_history h
   GROUP BY h.id
),
known AS (
  -- Whose entries of employment an owner's account leads to, and while which link holds.
  SELECT o.id AS id, o.valid_from AS valid_from, p.valid_from AS linked_from, p.valid_to AS linked_to,
         e.started_at AS started_at, e.ended_at AS ended_at, e.grade AS grade
    FROM control_owner_history o
    JOIN account_person p ON p.account = o.owner AND p.valid_from < COALESCE(o.valid_to, 253402300799999) AND p.valid_to > o.valid_from
    JOIN account_person q ON q.person = p.person
    JOIN employment e ON e.account = q.account
),
answered AS (
  -- When somebody answers for it who works here, by how sure that is: 3 for certain,
  SELECT o.control AS control, 3 AS worth, o.grade AS grade, k.grade AS work_grade,
         CASE WHEN k.started_at >= o.valid_from AND k.started_at >= h.valid_from AND k.started_at >= k.linked_from THEN k.started_at
              WHEN h.valid_from >= o.valid_from AND h.valid_from >= k.linked_from AND h.valid_from >= k.started_at THEN h.valid_from
              WHEN k.linked_from >= o.valid_from AND k.linked_from >= k.started_at THEN k.linked_from
              ELSE o.valid_from END AS starts_at,
         CASE WHEN k.ended_at <= o.valid_to AND k.ended_at <= h.valid_to AND k.ended_at <= k.linked_to THEN k.ended_at
              WHEN h.valid_to <= o.valid_to AND h.valid_to <= k.linked_to AND h.valid_to <= k.ended_at THEN h.valid_to
              WHEN k.linked_to <= o.valid_to AND k.linked_to <= k.ended_at THEN k.linked_to
              ELSE o.valid_to END AS ends_at
    FROM control_owner_history o
    JOIN known k ON k.id = o.id AND k.valid_from = o.valid_from
    JOIN account_history h ON h.id = o.owner AND h.kind = 'human'
   WHERE o.valid_to IS NOT NULL AND h.valid_to IS NOT NULL AND k.started_at IS NOT NULL AND k.ended_at IS NOT NULL
  UNION ALL
  -- 2 a person has to say: they work here, and nobody says that the account is a person's own, or it is tied to nobody,
  SELECT o.control AS control, 2 AS worth, o.grade AS grade, k.grade AS work_grade,
         CASE WHEN k.started_at > o.valid_from THEN k.started_at ELSE o.valid_from END AS starts_at,
         CASE WHEN k.ended_at < o.valid_to THEN k.ended_at ELSE o.valid_to END AS ends_at
    FROM control_owner_history o
    JOIN known k ON k.id = o.id AND k.valid_from = o.valid_from
    LEFT JOIN kind n ON n.id = o.owner
   WHERE COALESCE(n.nobodys, 0) = 0 AND o.valid_to IS NOT NULL AND k.started_at IS NOT NULL AND k.ended_at IS NOT NULL
  UNION ALL
  SELECT o.control AS control, 2 AS worth, o.grade AS grade, o.grade AS work_grade, o.valid_from AS starts_at, o.valid_to AS ends_at
    FROM control_owner_history o
    LEFT JOIN kind n ON n.id = o.owner
    LEFT JOIN account_person p ON p.account = o.owner
   WHERE p.account IS NULL AND o.owner IS NOT NULL AND COALESCE(n.nobodys, 0) = 0 AND o.valid_to IS NOT NULL
  UNION ALL
  -- 1 nobody can say: who it is, since or until when they answer for it or work here, or whether the account was a person's.
  SELECT o.control AS control, 1 AS worth, o.grade AS grade, k.grade AS work_grade,
         CASE WHEN k.started_at > o.valid_from THEN k.started_at ELSE o.valid_from END AS starts_at,
         CASE WHEN k.ended_at < COALESCE(o.valid_to, 253402300799999) THEN k.ended_at ELSE COALESCE(o.valid_to, 253402300799999) END AS ends_at
    FROM control_owner_history o
    JOIN known k ON k.id = o.id AND k.valid_from = o.valid_from
    LEFT JOIN kind n ON n.id = o.owner
   WHERE COALESCE(n.nobodys, 0) < 2
  UNION ALL
  SELECT o.control AS control, 1 AS worth, o.grade AS grade, o.grade AS work_grade,
         o.valid_from AS starts_at, COALESCE(o.valid_to, 253402300799999) AS ends_at
    FROM control_owner_history o
    LEFT JOIN kind n ON n.id = o.owner
    LEFT JOIN account_person p ON p.account = o.owner AND p.valid_from < COALESCE(o.valid_to, 253402300799999) AND p.valid_to > o.valid_from
   WHERE p.account IS NULL AND COALESCE(n.nobodys, 0) < 2
),
cut AS (
  -- At each level of certainty: whatever is at least as sure, cut to the stretches in which the control was in force.
  SELECT n.id AS id, n.starts_at AS needed_from, n.unsure AS unsure, l.worth AS level, a.grade AS grade, a.work_grade AS work_grade,
         CASE WHEN a.starts_at < n.starts_at THEN n.starts_at ELSE a.starts_at END AS starts_at,
         CASE WHEN a.ends_at > n.ends_at THEN n.ends_at ELSE a.ends_at END AS ends_at
    FROM answered a
    JOIN needed n ON n.control = a.control
    JOIN (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth) l ON l.worth <= a.worth
   WHERE a.starts_at < a.ends_at AND a.starts_at < n.ends_at AND a.ends_at > n.starts_at
),
held AS (
  -- Each instant once: a stretch counts from where the ones before it ended.
  SELECT c.id AS id, c.unsure AS unsure, c.level AS level, c.grade AS grade, c.work_grade AS work_grade, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.id, c.level, c.needed_from ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
owned AS (
  SELECT h.id AS id, min(h.grade) AS grade, min(h.work_grade) AS work_grade,
         CAST(sum(CASE WHEN h.level = 3 THEN h.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN h.level = 2 THEN h.ms ELSE 0 END) AS BIGINT) AS likely_ms,
         -- Of the time in which it was in force for certain.
         CAST(sum(CASE WHEN h.level = 1 AND h.unsure = 0 THEN h.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT x.id AS id, x.unsure AS unsure, x.level AS level, x.grade AS grade, x.work_grade AS work_grade,
                 CASE WHEN x.ended_before IS NULL OR x.ended_before <= x.starts_at THEN x.ends_at - x.starts_at
                      WHEN x.ended_before < x.ends_at THEN x.ends_at - x.ended_before
                      ELSE 0 END AS ms
            FROM held x) h
   GROUP BY h.id
),
due AS (
  SELECT n.id AS id, CAST(sum(n.ends_at - n.starts_at) AS BIGINT) AS ms,
         CAST(sum(CASE WHEN n.unsure = 0 THEN n.ends_at - n.starts_at ELSE 0 END) AS BIGINT) AS certain_ms
    FROM needed n
   GROUP BY n.id
),
naming AS (
  -- The last word on who answers for it: what the item is shown by.
  SELECT o.control AS control, max(o.entry) AS entry FROM control_owner_history o GROUP BY o.control
),
decided AS (
  SELECT v.control AS control, min(v.grade) AS grade FROM version v GROUP BY v.control
)
SELECT c.id AS item,
       c.control || ' ' || c.label AS label,
       $from AS occurred_at,
       COALESCE(m.entry, c.entry) AS entry,
       CASE WHEN w.grade < c.grade AND w.grade <= COALESCE(w.work_grade, w.grade) AND w.grade <= COALESCE(v.grade, w.grade) THEN w.grade
            WHEN w.work_grade < c.grade AND w.work_grade <= COALESCE(v.grade, w.work_grade) THEN w.work_grade
            WHEN v.grade < c.grade THEN v.grade
            ELSE c.grade END AS grade,
       CASE WHEN w.sure_ms = d.ms THEN 'pass'
            WHEN w.likely_ms = d.ms THEN 'needs_judgement'
            WHEN COALESCE(w.perhaps_ms, 0) = d.certain_ms THEN 'no_evidence'
            ELSE 'deviation' END AS a
  FROM control c
  JOIN due d ON d.id = c.id
  LEFT JOIN owned w ON w.id = c.id
  LEFT JOIN naming m ON m.control = c.control
  LEFT JOIN decided v ON v.control = c.control
