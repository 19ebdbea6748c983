WITH dated AS (
  -- The last instant of its days. By the noon of a day, so that no change of the clocks moves it.
  SELECT q.id AS id, min(due.ends_at - 1) AS due_at
    FROM privacy_complaint q
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= q.received_at AND d.ends_at > q.received_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > q.received_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day due ON due.calendar = $calendar AND due.zone = $tz
          AND due.starts_at <= d.starts_at + CAST($days AS BIGINT) * 86400000 + 43200000
          AND due.ends_at > d.starts_at + CAST($days AS BIGINT) * 86400000 + 43200000
          AND due.starts_at > d.starts_at + CAST($days AS BIGINT) * 86400000 - 46800000
   GROUP BY q.id
),
shut AS (
  -- Whether it is closed: 2 so it is, 1 nobody can say, 0 no. Who closed it: 2 a person, 1 nobody can say, 0 a machine.
  SELECT q.id AS id, d.due_at AS due_at,
         CASE WHEN q.closed_at > $cutoff OR (q.closed = 0 AND q.closed_at IS NULL) THEN 0
              WHEN q.closed = 1 AND q.closed_at IS NOT NULL THEN 2
              ELSE 1 END AS closed,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM privacy_complaint q
    LEFT JOIN dated d ON d.id = q.id
    LEFT JOIN account_history h ON h.id = q.closed_by AND h.valid_from <= q.closed_at AND h.valid_to > q.closed_at
   GROUP BY q.id, d.due_at, q.closed, q.closed_at
)
SELECT q.id AS item,
       q.label AS label,
       q.received_at AS occurred_at,
       q.entry AS entry,
       q.grade AS grade,
       CASE WHEN s.due_at IS NULL THEN 'no_evidence'
            WHEN s.closed = 2 AND q.closed_at < q.received_at THEN 'needs_judgement'
            WHEN s.closed = 2 AND q.closed_at <= s.due_at THEN 'pass'
            WHEN s.due_at > $cutoff THEN 'not_yet_due'
            WHEN s.closed = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN s.closed = 0 AND s.due_at > $cutoff THEN 'not_yet_due'
            WHEN s.closed = 0 THEN 'not_applicable'
            WHEN s.closed = 1 THEN 'no_evidence'
            WHEN q.resolution = 'none' OR s.person = 0 THEN 'deviation'
            -- The register may have no such column: silence about what was done is unknown.
            WHEN q.resolution IS NULL THEN 'no_evidence'
            WHEN s.person = 2 THEN 'pass'
            ELSE 'needs_judgement' END AS b,
       CASE WHEN s.due_at <= $cutoff THEN s.due_at ELSE q.received_at END AS a_until,
       CASE WHEN s.closed = 2 AND q.closed_at > q.received_at THEN q.closed_at ELSE q.received_at END AS b_until
  FROM privacy_complaint q
  JOIN shut s ON s.id = q.id
 WHERE q.received_at >= $from AND q.received_at < $to AND q.in_scope = 1
