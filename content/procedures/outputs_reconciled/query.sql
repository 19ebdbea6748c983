WITH settle AS (
  -- A difference is to be settled by the end of the n-th business day after the day on which it was found.
  SELECT n.id AS id, min(last.ends_at - 1) AS due_at
    FROM reconciliation n
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= n.done_at AND d.ends_at > n.done_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > n.done_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $settle_business_days
          -- Among any twenty days and three more a business day there are enough of them.
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($settle_business_days AS BIGINT) * 3 + 20) * 86400000
   GROUP BY n.id
),
settler AS (
  -- Who settled it: 2 a person, 1 nobody can say, 0 a machine.
  SELECT n.id AS id, min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM reconciliation n
    LEFT JOIN account_history h ON h.id = n.resolved_by AND h.valid_from <= n.resolved_at AND h.valid_to > n.resolved_at
   GROUP BY n.id
),
held AS (
  SELECT n.run AS run, n.done_at AS done_at, n.grade AS grade, s.due_at AS due_at,
         -- 5 they agree, or it was settled; 3 it is not due yet, 2 a person has to judge, 1 nobody can say, 0 not.
         CASE WHEN abs(n.in_value - n.out_value) <= n.tolerance OR n.in_value = n.out_value THEN 5
              WHEN n.in_value IS NULL OR n.out_value IS NULL OR n.tolerance IS NULL THEN 1
              WHEN n.resolved_at >= n.done_at AND n.resolved_at <= s.due_at AND n.resolved_at <= $cutoff AND p.person = 2 AND n.resolution IS NOT NULL THEN 5
              WHEN s.due_at > $cutoff THEN 3
              WHEN n.resolved_at < n.done_at OR n.resolved_at > s.due_at OR n.resolved_at > $cutoff OR p.person = 0 THEN 0
              WHEN n.resolution IS NOT NULL OR n.resolved_by IS NOT NULL OR n.resolved_at IS NOT NULL THEN 2
              WHEN s.due_at IS NULL THEN 1
              ELSE 0 END AS worth
    FROM reconciliation n
    JOIN settler p ON p.id = n.id
    LEFT JOIN settle s ON s.id = n.id
   WHERE n.done_at <= $cutoff OR n.done_at IS NULL
),
known AS (
  SELECT r.id AS run, min(h.grade) AS grade, min(h.worth) AS worth,
         max(CASE WHEN h.worth = 0 THEN h.due_at END) AS unsettled_at,
         max(CASE WHEN h.done_at <= r.due_at + CAST($reconcile_hours AS BIGINT) * 3600000 THEN 2 WHEN h.done_at IS NULL THEN 1 ELSE 0 END) AS done
    FROM job_run r
    JOIN held h ON h.run = r.id
   GROUP BY r.id
),
replaced AS (
  -- Whether another run's output took the place of its own: 2 it did, 1 nobody can say.
  SELECT x.replaces AS run, max(CASE WHEN x.delivered = 1 THEN 2 WHEN x.delivered IS NULL THEN 1 ELSE 0 END) AS worth
    FROM job_run x
   WHERE x.replaces IS NOT NULL
   GROUP BY x.replaces
),
standing AS (
  -- Runs whose output stands, for certain (1) or perhaps (0).
  SELECT r.id AS run, r.pipeline AS pipeline, r.covers_from AS covers_from, r.covers_to AS covers_to,
         CASE WHEN r.delivered = 1 AND p.worth IS NULL THEN 1 WHEN r.delivered = 1 AND p.worth = 0 THEN 1 ELSE 0 END AS certain
    FROM job_run r
    LEFT JOIN replaced p ON p.run = r.id
   WHERE (r.delivered = 1 OR r.delivered IS NULL) AND (p.worth IS NULL OR p.worth < 2)
),
neighbour AS (
  -- When the ones before end, and the next one begins: among those that stand for certain (1), and among all that may (0).
  SELECT k.sure AS sure, k.run AS run, k.covers_from AS covers_from, k.covers_to AS covers_to,
         max(k.covers_to) OVER (PARTITION BY k.sure, k.pipeline ORDER BY k.covers_from ASC NULLS FIRST, k.run ASC NULLS FIRST
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before,
         lead(k.covers_from) OVER (PARTITION BY k.sure, k.pipeline ORDER BY k.covers_from ASC NULLS FIRST, k.run ASC NULLS FIRST) AS next_from
    FROM (SELECT 1 AS sure, s.run AS run, s.pipeline AS pipeline, s.covers_from AS covers_from, s.covers_to AS covers_to
            FROM standing s
           WHERE s.certain = 1 AND s.covers_from IS NOT NULL
          UNION ALL
          SELECT 0 AS sure, s.run AS run, s.pipeline AS pipeline, s.covers_from AS covers_from, s.covers_to AS covers_to
            FROM standing s
           WHERE s.covers_from IS NOT NULL) k
),
overlap AS (
  SELECT n.run AS run,
         max(CASE WHEN (n.ended_before > n.covers_from OR n.next_from < n.covers_to) AND n.sure = 1 THEN 2
                  WHEN n.ended_before > n.covers_from OR n.next_from < n.covers_to THEN 1
                  ELSE 0 END) AS worth
    FROM neighbour n
   GROUP BY n.run
),
vague AS (
  -- Of each pipeline the runs that do not say since when their data are, and when the others begin.
  SELECT s.pipeline AS pipeline, count(*) - count(s.covers_from) AS unsaid, min(s.covers_from) AS starts_at,
         max(CASE WHEN s.covers_from IS NULL THEN s.covers_to END) AS ends_at
    FROM standing s
   GROUP BY s.pipeline
),
twice AS (
  -- 2 nothing is handed on twice, 1 nobody can say, 0 it is.
  SELECT s.run AS run,
         CASE WHEN o.worth = 2 THEN 0
              WHEN o.worth = 1 OR v.ends_at > s.covers_from THEN 1
              WHEN s.covers_from IS NULL AND (v.unsaid > 1 OR v.starts_at < s.covers_to) THEN 1
              ELSE 2 END AS worth
    FROM standing s
    JOIN vague v ON v.pipeline = s.pipeline
    LEFT JOIN overlap o ON o.run = s.run
),
judged AS (
  SELECT r.id AS id, r.due_at + CAST($reconcile_hours AS BIGINT) * 3600000 AS due_at, k.unsettled_at AS unsettled_at,
         CASE WHEN k.grade < r.grade THEN k.grade ELSE r.grade END AS grade,
         CASE WHEN r.due_at IS NULL THEN 'no_evidence'
              WHEN k.done = 2 THEN 'pass'
              WHEN r.due_at + CAST($reconcile_hours AS BIGINT) * 3600000 > $cutoff THEN 'not_yet_due'
              WHEN k.done = 1 THEN 'no_evidence'
              ELSE 'deviation' END AS a,
         CASE k.worth WHEN 5 THEN 'pass' WHEN 3 THEN 'not_yet_due' WHEN 2 THEN 'needs_judgement' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation'
                      ELSE 'not_applicable' END AS b,
         CASE WHEN r.delivered = 0 THEN 'not_applicable'
              WHEN t.worth = 0 THEN 'deviation'
              WHEN t.worth = 1 THEN 'no_evidence'
              ELSE 'pass' END AS c
    FROM job_run r
    LEFT JOIN known k ON k.run = r.id
    LEFT JOIN twice t ON t.run = r.id
)
SELECT r.id AS item,
       r.label AS label,
       r.covers_to AS occurred_at,
       r.entry AS entry,
       j.grade AS grade,
       j.a AS a,
       j.b AS b,
       j.c AS c,
       r.covers_to AS a_since,
       r.covers_to AS b_since,
       COALESCE(r.covers_from, r.covers_to) AS c_since,
       CASE WHEN j.due_at > r.covers_to AND j.due_at <= $cutoff THEN j.due_at ELSE r.covers_to END AS a_until,
       CASE WHEN j.b = 'deviation' AND j.unsettled_at > r.covers_to THEN j.unsettled_at
            WHEN j.due_at > r.covers_to AND j.due_at <= $cutoff THEN j.due_at
            -- What is due nobody knows when may be due later.
            WHEN (j.due_at > $cutoff OR j.due_at IS NULL) AND $cutoff > r.covers_to THEN $cutoff - 1
            ELSE r.covers_to END AS b_until,
       -- It may be run, and handed on, again at any time up to the cut-off; of that instant itself nobody who looks now can speak.
       CASE WHEN $cutoff > r.covers_to THEN $cutoff - 1 ELSE r.covers_to END AS c_until
  FROM job_run r
  JOIN judged j ON j.id = r.id
 WHERE r.covers_to >= $from AND r.covers_to < $to AND r.in_scope = 1
