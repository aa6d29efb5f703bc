CREATE OR REPLACE VIEW speaker_statement_stance AS
WITH speakers_of AS (
    SELECT
        ss.statement_id,
        string_agg(coalesce(i.name, s.name), ' and ' ORDER BY ss.position) AS speaker,
        arg_min(s.speaker_type, ss.position) AS speaker_type
    FROM statement_speakers AS ss
    JOIN speakers AS s USING (speaker_id)
    LEFT JOIN speaker_identities AS i USING (speaker_id)
    GROUP BY ss.statement_id
)
SELECT
    st.statement_id,
    st.article_id,
    a.url,
    a.title,
    a.outlet,
    a.published_at,
    sp.speaker,
    sp.speaker_type,
    st.text AS statement,
    st.kind,
    t.target_text AS target,
    t.target_name,
    t.target_type,
    coalesce(t.stance, 'neutral') AS stance,
    t.intensity,
    coalesce(t.confidence, st.statement_confidence * coalesce(st.speaker_confidence, 1)) AS confidence
FROM statements AS st
JOIN articles AS a USING (article_id)
LEFT JOIN speakers_of AS sp USING (statement_id)
LEFT JOIN stances AS t USING (statement_id);

CREATE OR REPLACE VIEW positions AS
SELECT
    speaker,
    target_name,
    date_trunc('month', published_at) AS month,
    count(*) FILTER (stance = 'favor') AS favor,
    count(*) FILTER (stance = 'against') AS against,
    count(DISTINCT article_id) AS articles
FROM speaker_statement_stance
WHERE speaker IS NOT NULL AND target_name IS NOT NULL
GROUP BY ALL;

COMMENT ON VIEW positions IS 'How often each speaker was for and against each target, by month.';

CREATE OR REPLACE VIEW coverage AS
WITH months AS (
    SELECT unnest(generate_series(
        date_trunc('month', min(published_at)), max(published_at), INTERVAL 1 MONTH
    )) AS month
    FROM articles
),
outlets AS (
    SELECT DISTINCT outlet FROM articles WHERE outlet IS NOT NULL
),
counted AS (
    SELECT article_id, count(*) AS statements FROM statements GROUP BY article_id
)
SELECT
    o.outlet,
    m.month,
    count(a.article_id) AS articles,
    count(a.article_id) FILTER (a.extraction_status = 'extracted') AS extracted,
    coalesce(sum(c.statements), 0)::BIGINT AS statements
FROM outlets AS o
CROSS JOIN months AS m
LEFT JOIN articles AS a
    ON a.outlet = o.outlet AND date_trunc('month', a.published_at) = m.month
LEFT JOIN counted AS c USING (article_id)
GROUP BY ALL;

CREATE OR REPLACE VIEW run_quality AS
SELECT
    r.run_id,
    r.status,
    r.started_at,
    r.finished_at,
    (SELECT count(*) FROM articles AS a WHERE a.run_id = r.run_id) AS articles,
    (SELECT count(*) FROM statements AS s WHERE s.run_id = r.run_id) AS statements,
    (SELECT count(*) FROM stances AS t WHERE t.run_id = r.run_id) AS stances,
    (SELECT count(*) FROM rejects AS j WHERE j.run_id = r.run_id) AS rejects
FROM runs AS r;

COMMENT ON VIEW run_quality IS 'Current rows and rejects that each run wrote.';
