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
marked AS (
  -- Whether it was in force: 1 yes, by what was known then or is known now; 0 no. And whether nobody can say.
  SELECT s.id AS id, s.control AS control, s.starts_at AS starts_at, s.ends_at AS ends_at, max(d.held) AS held,
         CASE WHEN min(CASE WHEN d.back = 0 THEN d.held END) < max(CASE WHEN d.back = 0 THEN d.held END) THEN 1 ELSE 0 END AS unsure
    FROM stretch s
    JOIN said d ON d.id = s.id AND d.starts_at = s.starts_at
   GROUP BY s.id, s.control, s.starts_at, s.ends_at
),
needed AS (
  SELECT m.id AS id, m.control AS control, m.starts_at AS starts_at, m.ends_at AS ends_at, m.unsure AS unsure
    FROM marked m
   WHERE m.held = 1
),
began AS (
  -- Where it came into force in the period there is time for the first test and the first evaluation.
  SELECT x.id AS id, x.control AS control, x.starts_at AS starts_at
    FROM (SELECT m.id AS id, m.control AS control, m.starts_at AS starts_at, m.held AS held,
                 lag(m.held) OVER (PARTITION BY m.id ORDER BY m.starts_at ASC NULLS FIRST) AS held_before
            FROM marked m) x
   WHERE x.held = 1 AND x.held_before = 0
),
kind AS (
  -- What an account is as far as is known: a person's own and nothing else; a program's or several people's and nothing else.
  SELECT h.id AS id, min(CASE WHEN h.kind = 'human' OR h.kind = 'guest' THEN 1 ELSE 0 END) AS own,
         min(CASE WHEN h.kind = 'human' OR h.kind = 'guest' OR h.kind = 'unknown' THEN 0 ELSE 1 END) AS nobodys
    FROM account_history h
   GROUP BY h.id
),
person AS (
  -- Who evaluated; an account that two people share is nobody's.
  SELECT e.id AS id, CASE WHEN min(p.person) = max(p.person) THEN min(p.person) END AS person
    FROM control_evaluation e
    LEFT JOIN account_person p ON p.account = e.evaluated_by AND p.valid_from <= e.evaluated_at AND p.valid_to > e.evaluated_at
   GROUP BY e.id
),
owner AS (
  -- Who owned any control when, and while that is certain.
  SELECT o.control AS control, o.owner AS account, p.person AS person, k.nobodys AS nobodys, o.valid_from AS starts_at, o.valid_to AS ends_at
    FROM control_owner_history o
    LEFT JOIN kind k ON k.id = o.owner
    LEFT JOIN account_person p ON p.account = o.owner AND p.valid_from < COALESCE(o.valid_to, 253402300799999) AND p.valid_to > o.valid_from
),
evaluated AS (
  -- What an evaluation is worth: 3 by somebody who owned none, 2 a person has to say, 1 nobody can say, 0 nothing.
  SELECT e.id AS id, e.control AS control, e.evaluated_at AS evaluated_at, min(e.grade) AS grade,
         min(CASE WHEN e.finding = 'none' OR e.finding = '' OR k.nobodys = 1 THEN 0
                  WHEN (o.account = e.evaluated_by OR o.person = w.person) AND o.ends_at IS NOT NULL THEN 0
                  WHEN e.evaluated_at IS NULL OR e.evaluated_by IS NULL OR e.finding IS NULL THEN 1
                  WHEN o.account = e.evaluated_by OR o.person = w.person THEN 1
                  WHEN w.person IS NULL OR k.own IS NULL OR k.own = 0 OR al.person IS NOT NULL THEN 2
                  WHEN o.control IS NOT NULL AND o.account IS NULL THEN 2
                  WHEN o.control = e.control AND o.person IS NULL AND COALESCE(o.nobodys, 0) = 0 THEN 2
                  ELSE 3 END) AS worth
    FROM control_evaluation e
    JOIN person w ON w.id = e.id
    LEFT JOIN kind k ON k.id = e.evaluated_by
    LEFT JOIN owner o ON o.starts_at <= e.evaluated_at AND (o.ends_at > e.evaluated_at OR o.ends_at IS NULL)
    LEFT JOIN person_alike al ON al.person = w.person AND al.other_person = o.person
   GROUP BY e.id, e.control, e.evaluated_at
),
done AS (
  -- What was done by when, what it is worth, and until when it is enough: `a` for tests, `b` for evaluations.
  SELECT t.control AS control, 'a' AS attribute, 3 AS worth, t.tested_at AS starts_at,
         t.tested_at + $test_days * CAST(86400000 AS BIGINT) AS ends_at
    FROM control_test t
   WHERE t.tested_at IS NOT NULL AND t.tested_at <= $as_of
  UNION ALL
  -- What was done nobody knows when may have been enough at any time.
  SELECT t.control AS control, 'a' AS attribute, 1 AS worth, $from AS starts_at, 253402300799999 AS ends_at
    FROM control_test t
   WHERE t.tested_at IS NULL
  UNION ALL
  SELECT e.control AS control, 'b' AS attribute, e.worth AS worth, e.evaluated_at AS starts_at,
         e.evaluated_at + $evaluation_days * CAST(86400000 AS BIGINT) AS ends_at
    FROM evaluated e
   WHERE e.evaluated_at IS NOT NULL AND e.evaluated_at <= $as_of
  UNION ALL
  SELECT e.control AS control, 'b' AS attribute, 1 AS worth, $from AS starts_at, 253402300799999 AS ends_at
    FROM evaluated e
   WHERE e.evaluated_at IS NULL AND e.worth > 0
  UNION ALL
  SELECT b.control AS control, 'a' AS attribute, 3 AS worth, b.starts_at AS starts_at,
         b.starts_at + $test_days * CAST(86400000 AS BIGINT) AS ends_at
    FROM began b
  UNION ALL
  SELECT b.control AS control, 'b' AS attribute, 3 AS worth, b.starts_at AS starts_at,
         b.starts_at + $evaluation_days * CAST(86400000 AS BIGINT) AS ends_at
    FROM began b
),
cut AS (
  SELECT n.id AS id, n.starts_at AS needed_from, n.unsure AS unsure, d.attribute AS attribute, l.worth AS level,
         CASE WHEN d.starts_at < n.starts_at THEN n.starts_at ELSE d.starts_at END AS starts_at,
         CASE WHEN d.ends_at > n.ends_at THEN n.ends_at ELSE d.ends_at END AS ends_at
    FROM done d
    JOIN needed n ON n.control = d.control
    JOIN (SELECT 1 AS worth UNION ALL SELECT 2 AS worth UNION ALL SELECT 3 AS worth) l ON l.worth <= d.worth
   WHERE d.starts_at < n.ends_at AND d.ends_at > n.starts_at
),
held AS (
  SELECT c.id AS id, c.unsure AS unsure, c.attribute AS attribute, c.level AS level, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.id, c.attribute, c.level, c.needed_from ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
kept AS (
  SELECT h.id AS id, h.attribute AS attribute,
         CAST(sum(CASE WHEN h.level = 3 THEN h.ms ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN h.level = 2 THEN h.ms ELSE 0 END) AS BIGINT) AS likely_ms,
         -- Of the time in which it was in force for certain.
         CAST(sum(CASE WHEN h.level = 1 AND h.unsure = 0 THEN h.ms ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT x.id AS id, x.unsure AS unsure, x.attribute AS attribute, x.level AS level,
                 CASE WHEN x.ended_before IS NULL OR x.ended_before <= x.starts_at THEN x.ends_at - x.starts_at
                      WHEN x.ended_before < x.ends_at THEN x.ends_at - x.ended_before
                      ELSE 0 END AS ms
            FROM held x) h
   GROUP BY h.id, h.attribute
),
due AS (
  SELECT n.id AS id, CAST(sum(n.ends_at - n.starts_at) AS BIGINT) AS ms,
         CAST(sum(CASE WHEN n.unsure = 0 THEN n.ends_at - n.starts_at ELSE 0 END) AS BIGINT) AS certain_ms
    FROM needed n
   GROUP BY n.id
),
evidence AS (
  -- What it rests on, by its weakest grade, and the last of it.
  SELECT x.control AS control, min(x.grade) AS grade, max(x.entry) AS entry
    FROM (SELECT t.control AS control, t.grade AS grade, t.entry AS entry FROM control_test t
          UNION ALL
          SELECT e.control AS control, e.grade AS grade, e.entry AS entry FROM control_evaluation e
          UNION ALL
          SELECT v.control AS control, v.grade AS grade, v.entry AS entry FROM version v) x
   GROUP BY x.control
)
SELECT c.id AS item,
       c.control || ' ' || c.label AS label,
       $from AS occurred_at,
       COALESCE(v.entry, c.entry) AS entry,
       CASE WHEN v.grade < c.grade THEN v.grade ELSE c.grade END AS grade,
       CASE WHEN c.tested = 0 THEN 'not_applicable'
            WHEN t.sure_ms = d.ms THEN 'pass'
            WHEN COALESCE(t.perhaps_ms, 0) = d.certain_ms THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN e.sure_ms = d.ms THEN 'pass'
            WHEN e.likely_ms = d.ms THEN 'needs_judgement'
            WHEN COALESCE(e.perhaps_ms, 0) = d.certain_ms THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       $from - $test_days * CAST(86400000 AS BIGINT) AS a_since,
       $from - $evaluation_days * CAST(86400000 AS BIGINT) AS b_since
  FROM control c
  JOIN due d ON d.id = c.id
  LEFT JOIN kept t ON t.id = c.id AND t.attribute = 'a'
  LEFT JOIN kept e ON e.id = c.id AND e.attribute = 'b'
  LEFT JOIN evidence v ON v.control = c.control
