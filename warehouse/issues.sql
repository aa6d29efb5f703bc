CREATE OR REPLACE VIEW issue_positions AS
SELECT
    v.speaker,
    v.speaker_type,
    ti.issue,
    date_trunc('month', v.published_at)::DATE AS month,
    count(*) FILTER ((t.stance = 'favor') = (ti.polarity > 0)) AS favor,
    count(*) FILTER ((t.stance = 'favor') <> (ti.polarity > 0)) AS against,
    count(DISTINCT v.article_id) AS articles
FROM stances AS t
JOIN target_issues AS ti USING (target_id)
JOIN (
    SELECT DISTINCT statement_id, article_id, speaker, speaker_type, published_at
    FROM speaker_statement_stance
) AS v USING (statement_id)
WHERE v.speaker IS NOT NULL AND t.stance <> 'neutral'
GROUP BY ALL;

COMMENT ON VIEW issue_positions IS 'How often each speaker was for and against each issue of the codeframe, by month; being against what an issue is against counts as for it.';

CREATE OR REPLACE VIEW unclaimed_targets AS
SELECT
    g.name AS target_name,
    g.target_type,
    count(*) AS stances,
    count(DISTINCT ss.speaker_id) AS speakers
FROM targets AS g
JOIN stances AS t USING (target_id)
LEFT JOIN statement_speakers AS ss USING (statement_id)
ANTI JOIN target_issues AS ti USING (target_id)
GROUP BY ALL
ORDER BY stances DESC, target_name;

COMMENT ON VIEW unclaimed_targets IS 'Targets that no issue of the codeframe claims, the commonest first.';
