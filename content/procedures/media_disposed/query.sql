WITH did AS (
  -- Who did it or saw it, before it left: 2 a person, 1 nobody can say, 0 a machine.
  SELECT m.id AS id,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM media_disposal m
    LEFT JOIN account_history h ON h.id = m.done_by
          AND h.valid_from <= CASE WHEN m.wiped_at <= m.gone_at THEN m.wiped_at ELSE m.gone_at END
          AND h.valid_to > CASE WHEN m.wiped_at <= m.gone_at THEN m.wiped_at ELSE m.gone_at END
   GROUP BY m.id
)
SELECT m.id AS item,
       m.label AS label,
       m.gone_at AS occurred_at,
       m.entry AS entry,
       m.grade AS grade,
       CASE WHEN m.held_data = 0 THEN 'not_applicable'
            WHEN m.wiped_at <= m.gone_at THEN 'pass'
            -- The register may have no such column: silence is unknown, and so is what may have held nothing.
            WHEN m.held_data IS NULL OR m.wiped_at IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN m.held_data = 0 THEN 'not_applicable'
            WHEN m.method <> 'none' THEN 'pass'
            WHEN m.held_data IS NULL OR m.method IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN m.held_data = 0 THEN 'not_applicable'
            WHEN m.certificate <> 'none' OR d.person = 2 THEN 'pass'
            WHEN m.held_data IS NULL OR m.certificate IS NULL OR m.done_by IS NULL THEN 'no_evidence'
            WHEN d.person = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS c
  FROM media_disposal m
  JOIN did d ON d.id = m.id
 WHERE m.gone_at >= $from AND m.gone_at < $to AND m.in_scope = 1
