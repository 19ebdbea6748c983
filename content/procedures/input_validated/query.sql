WITH mend AS (
  -- What was turned down is to be mended by the end of the n-th business day after the day on which it was.
  SELECT k.id AS id, min(last.ends_at - 1) AS due_at
    FROM input_check k
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= k.checked_at AND d.ends_at > k.checked_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > k.checked_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day last ON last.calendar = $calendar AND last.zone = $tz AND last.business_day = 1
          AND last.business_day_number = d.business_day_number + $resolve_business_days
          -- Among any twenty days and three more a business day there are enough of them.
          AND last.starts_at >= d.starts_at
          AND last.starts_at <= d.starts_at + (CAST($resolve_business_days AS BIGINT) * 3 + 20) * 86400000
   GROUP BY k.id
),
checked AS (
  SELECT k.run AS run, k.checked_at AS checked_at, k.grade AS grade, m.due_at AS due_at,
         -- 3 it adds up, 1 nobody can say, 0 it does not.
         CASE WHEN k.accepted + k.rejected = k.received THEN 3 WHEN k.accepted + k.rejected <> k.received THEN 0 ELSE 1 END AS sums,
         -- 4 mended in time, 3 not due yet, 1 nobody can say, 0 not; NULL where nothing was turned down.
         CASE WHEN k.rejected = 0 THEN NULL
              WHEN k.rejected IS NULL OR m.due_at IS NULL THEN 1
              WHEN k.resolved >= k.rejected AND k.resolved_at >= k.checked_at AND k.resolved_at <= m.due_at AND k.resolved_at <= $cutoff THEN 4
              WHEN m.due_at > $cutoff THEN 3
              WHEN k.resolved < k.rejected OR k.resolved_at < k.checked_at OR k.resolved_at > m.due_at THEN 0
              ELSE 1 END AS mended
    FROM input_check k
    LEFT JOIN mend m ON m.id = k.id
   WHERE k.checked_at <= $cutoff OR k.checked_at IS NULL
),
known AS (
  SELECT r.id AS run, min(c.grade) AS grade, min(c.sums) AS sums, min(c.mended) AS mended,
         max(CASE WHEN c.mended = 0 THEN c.due_at END) AS left_at,
         max(CASE WHEN c.checked_at <= r.due_at THEN 2 WHEN c.checked_at IS NULL THEN 1 ELSE 0 END) AS done
    FROM job_run r
    JOIN checked c ON c.run = r.id
   GROUP BY r.id
),
judged AS (
  SELECT r.id AS id, k.left_at AS left_at,
         CASE WHEN r.due_at > r.covers_to AND r.due_at <= $cutoff THEN r.due_at
              -- Of the instant of the cut-off itself nobody who looks now can speak. What is due nobody knows when may be due later.
              WHEN (r.due_at > $cutoff OR r.due_at IS NULL) AND $cutoff > r.covers_to THEN $cutoff - 1
              ELSE r.covers_to END AS seen_at,
         CASE WHEN k.grade < r.grade THEN k.grade ELSE r.grade END AS grade,
         CASE WHEN r.due_at IS NULL THEN 'no_evidence'
              WHEN k.done = 2 THEN 'pass'
              WHEN r.due_at > $cutoff THEN 'not_yet_due'
              WHEN k.done = 1 THEN 'no_evidence'
              ELSE 'deviation' END AS a,
         CASE k.sums WHEN 3 THEN 'pass' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS b,
         CASE k.mended WHEN 4 THEN 'pass' WHEN 3 THEN 'not_yet_due' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS c
    FROM job_run r
    LEFT JOIN known k ON k.run = r.id
)
SELECT r.id AS item,
       r.label AS label,
       r.covers_to AS occurred_at,
       r.entry AS entry,
       j.grade AS grade,
       j.a AS a,
       j.b AS b,
       j.c AS c,
       j.seen_at AS a_until,
       j.seen_at AS b_until,
       CASE WHEN j.left_at > r.covers_to THEN j.left_at ELSE j.seen_at END AS c_until
  FROM job_run r
  JOIN judged j ON j.id = r.id
 WHERE r.covers_to >= $from AND r.covers_to < $to AND r.in_scope = 1
