WITH dated AS (
  -- The last instant of its days, and of those that it may be extended to. By the noon of a day, so that no change of the clocks moves it.
  SELECT q.id AS id, min(due.ends_at - 1) AS due_at, min(late.ends_at - 1) AS latest_at
    FROM dsr q
    JOIN calendar_day d ON d.calendar = $calendar AND d.zone = $tz AND d.starts_at <= q.received_at AND d.ends_at > q.received_at
          -- No day is longer than 25 hours: so that the engine looks at one of them only.
          AND d.starts_at > q.received_at - CAST(25 AS BIGINT) * 3600000
    JOIN calendar_day due ON due.calendar = $calendar AND due.zone = $tz
          AND due.starts_at <= d.starts_at + CAST($days AS BIGINT) * 86400000 + 43200000
          AND due.ends_at > d.starts_at + CAST($days AS BIGINT) * 86400000 + 43200000
          AND due.starts_at > d.starts_at + CAST($days AS BIGINT) * 86400000 - 46800000
    JOIN calendar_day late ON late.calendar = $calendar AND late.zone = $tz
          AND late.starts_at <= d.starts_at + CAST($days + $extension_days AS BIGINT) * 86400000 + 43200000
          AND late.ends_at > d.starts_at + CAST($days + $extension_days AS BIGINT) * 86400000 + 43200000
          AND late.starts_at > d.starts_at + CAST($days + $extension_days AS BIGINT) * 86400000 - 46800000
   GROUP BY q.id
),
told AS (
  -- Whether they were told in time that it takes longer: 2 so it is, 1 nobody can say, 0 no. And whether it is closed, in the same way.
  SELECT q.id AS id, d.due_at AS due_at, d.latest_at AS latest_at,
         CASE WHEN q.extended_at > d.due_at OR q.extended_at < q.received_at OR q.extended_at > $cutoff THEN 0
              WHEN q.extended_at IS NULL AND q.extended_until IS NULL THEN 0
              WHEN q.extended_at <= d.due_at AND q.extended_until IS NOT NULL AND q.extension_reason IS NOT NULL THEN 2
              ELSE 1 END AS longer,
         CASE WHEN q.closed = 0 OR q.closed_at > $cutoff THEN 0
              WHEN q.closed = 1 AND q.closed_at >= q.received_at THEN 2
              ELSE 1 END AS shut
    FROM dsr q
    LEFT JOIN dated d ON d.id = q.id
),
due AS (
  -- By when it is due for certain, and as far as it may be.
  SELECT t.id AS id, t.shut AS shut,
         CASE WHEN t.longer < 2 OR q.extended_until < t.due_at THEN t.due_at WHEN q.extended_until < t.latest_at THEN q.extended_until ELSE t.latest_at END AS due_by,
         CASE WHEN t.longer = 0 OR q.extended_until < t.due_at THEN t.due_at WHEN q.extended_until < t.latest_at THEN q.extended_until ELSE t.latest_at END AS may_by
    FROM told t
    JOIN dsr q ON q.id = t.id
),
store AS (
  -- What was done in each store that the map names: 3 it is dealt with, 1 nobody can say, 0 not.
  SELECT q.id AS id, h.asset AS asset,
         max(CASE WHEN h.valid_to > q.closed_at THEN 1 ELSE 0 END) AS named,
         min(CASE WHEN w.grade < h.grade THEN w.grade ELSE h.grade END) AS grade,
         max(CASE WHEN w.id IS NULL THEN 0
                  WHEN (w.outcome = 'done' OR w.outcome = 'not_held') AND w.done_at >= q.received_at AND w.done_at <= q.closed_at THEN 3
                  WHEN w.outcome = 'ages_out' AND w.ages_out_at <= q.closed_at + CAST($backup_days AS BIGINT) * 86400000 THEN 3
                  WHEN w.outcome = 'ages_out' AND w.ages_out_at IS NOT NULL THEN 0
                  WHEN w.outcome <> 'ages_out' AND (w.done_at < q.received_at OR w.done_at > q.closed_at) THEN 0
                  ELSE 1 END) AS worth
    FROM dsr q
    JOIN due u ON u.id = q.id AND u.shut = 2
    JOIN data_holding_history h ON h.people = q.people AND h.valid_from <= q.closed_at AND (h.valid_to > q.closed_at OR h.valid_to IS NULL)
    LEFT JOIN dsr_store w ON w.dsr = q.id AND w.asset = h.asset
   GROUP BY q.id, h.asset
),
everywhere AS (
  SELECT s.id AS id, min(s.grade) AS grade, min(CASE WHEN s.worth = 0 AND s.named = 0 THEN 1 ELSE s.worth END) AS worth
    FROM store s
   GROUP BY s.id
)
SELECT q.id AS item,
       q.label AS label,
       q.received_at AS occurred_at,
       q.entry AS entry,
       CASE WHEN e.grade < q.grade THEN e.grade ELSE q.grade END AS grade,
       CASE WHEN u.due_by IS NULL THEN 'no_evidence'
            WHEN u.shut = 0 AND u.due_by > $cutoff THEN 'not_yet_due'
            WHEN u.shut = 0 OR q.outcome = 'refused' OR q.outcome = 'withdrawn' THEN 'not_applicable'
            WHEN u.shut = 1 THEN 'no_evidence'
            WHEN q.verified_at <= q.closed_at THEN 'pass'
            WHEN q.outcome IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN u.due_by IS NULL THEN 'no_evidence'
            WHEN q.closed = 1 AND q.closed_at < q.received_at THEN 'needs_judgement'
            WHEN u.shut = 2 AND q.closed_at <= u.due_by THEN 'pass'
            WHEN u.due_by > $cutoff THEN 'not_yet_due'
            WHEN u.shut = 1 THEN 'no_evidence'
            WHEN u.may_by > u.due_by AND (u.may_by > $cutoff OR (u.shut = 2 AND q.closed_at <= u.may_by)) THEN 'needs_judgement'
            ELSE 'deviation' END AS b,
       CASE WHEN u.due_by IS NULL THEN 'no_evidence'
            WHEN u.shut = 0 AND u.due_by > $cutoff THEN 'not_yet_due'
            WHEN u.shut = 0 OR q.outcome = 'refused' OR q.outcome = 'withdrawn' THEN 'not_applicable'
            WHEN u.shut = 1 OR e.worth IS NULL THEN 'no_evidence'
            WHEN e.worth = 3 THEN 'pass'
            WHEN e.worth = 1 OR q.outcome IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS c,
       CASE WHEN u.due_by IS NULL THEN 'no_evidence'
            WHEN u.shut = 0 AND u.due_by > $cutoff THEN 'not_yet_due'
            WHEN u.shut = 0 OR q.outcome = 'fulfilled' OR q.outcome = 'withdrawn' THEN 'not_applicable'
            WHEN q.outcome IS NULL THEN 'no_evidence'
            WHEN q.refusal_reason IS NOT NULL THEN 'pass'
            ELSE 'deviation' END AS d,
       CASE WHEN u.shut = 2 THEN q.closed_at ELSE q.received_at END AS a_until,
       COALESCE(u.may_by, q.received_at) AS b_until,
       CASE WHEN u.shut = 2 THEN q.closed_at ELSE q.received_at END AS c_until,
       CASE WHEN u.shut = 2 THEN q.closed_at ELSE q.received_at END AS d_until
  FROM dsr q
  JOIN due u ON u.id = q.id
  LEFT JOIN everywhere e ON e.id = q.id
 WHERE q.received_at >= $from AND q.received_at < $to AND q.in_scope = 1
