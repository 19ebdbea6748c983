SELECT f.id AS item,
       f.label AS label,
       f.changed_at AS occurred_at,
       f.entry AS entry,
       f.grade AS grade,
       CASE min(CASE WHEN f.production IS NULL THEN 1
                     WHEN f.approval_required = 0 THEN 4
                     -- Neither who nor when: there was no approval. That is a deviation only where one was needed.
                     WHEN f.approved_by IS NULL AND f.approved_at IS NULL THEN CASE WHEN f.approval_required = 1 THEN 0 ELSE 1 END
                     WHEN h.kind = 'bot' OR h.kind = 'service' OR ap.person = cp.person OR f.approved_at > f.changed_at
                     THEN CASE WHEN f.approval_required = 1 THEN 0 ELSE 1 END
                     WHEN f.approved_at IS NULL THEN 1
                     WHEN ap.person IS NULL OR cp.person IS NULL OR h.kind IS NULL OR h.kind <> 'human' THEN 2
                     WHEN al.person IS NOT NULL THEN 2
                     ELSE 3 END)
         WHEN 0 THEN 'deviation' WHEN 1 THEN 'no_evidence' WHEN 2 THEN 'needs_judgement' WHEN 3 THEN 'pass'
         ELSE 'not_applicable' END AS a
  FROM flag_change f
  LEFT JOIN account_history h ON h.id = f.approved_by AND h.valid_from <= f.changed_at AND h.valid_to > f.changed_at
  LEFT JOIN account_person ap ON ap.account = f.approved_by AND ap.valid_from <= f.changed_at AND ap.valid_to > f.changed_at
  LEFT JOIN account_person cp ON cp.account = f.changed_by AND cp.valid_from <= f.changed_at AND cp.valid_to > f.changed_at
  LEFT JOIN person_alike al ON al.person = ap.person AND al.other_person = cp.person
 WHERE f.changed_at >= $from AND f.changed_at < $to AND f.in_scope = 1 AND (f.production = 1 OR f.production IS NULL)
 GROUP BY f.id, f.label, f.changed_at, f.entry, f.grade
