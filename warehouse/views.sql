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

CREATE OR REPLACE VIEW named_speakers AS
SELECT s.speaker_id, coalesce(i.name, s.name) AS speaker, s.speaker_type, s.aliases
FROM speakers AS s
LEFT JOIN speaker_identities AS i USING (speaker_id);

COMMENT ON VIEW named_speakers IS 'Speakers under the name that the speaker file gives them, else their own.';

CREATE OR REPLACE VIEW positions AS
SELECT
    n.speaker,
    g.name AS target_name,
    date_trunc('month', a.published_at)::TIMESTAMP AS month,
    count(DISTINCT coalesce(c.statement_cluster_id, ss.statement_id)) FILTER (t.stance = 'favor') AS favor,
    count(DISTINCT coalesce(c.statement_cluster_id, ss.statement_id)) FILTER (t.stance = 'against') AS against,
    count(DISTINCT coalesce(c.statement_cluster_id, ss.statement_id)) FILTER (coalesce(t.stance, 'neutral') = 'neutral') AS neutral,
    count(DISTINCT st.article_id) AS articles,
    count(DISTINCT a.outlet) AS outlets
FROM named_speakers AS n
JOIN statement_speakers AS ss USING (speaker_id)
JOIN statements AS st USING (statement_id)
JOIN articles AS a USING (article_id)
LEFT JOIN stances AS t USING (statement_id)
LEFT JOIN targets AS g USING (target_id)
LEFT JOIN statement_clusters AS c USING (statement_id)
GROUP BY ALL;

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
WITH refused AS (
    SELECT run_id, count(*) AS rejects, histogram(stage || ': ' || reason) AS rejects_by_reason
    FROM rejects
    GROUP BY run_id
),
sided AS (
    SELECT
        run_id,
        count(*) AS stances,
        histogram(least(floor(confidence * 10), 9) / 10) AS stances_by_confidence
    FROM stances
    GROUP BY run_id
)
SELECT
    r.run_id,
    r.status,
    r.started_at,
    r.finished_at,
    (SELECT count(*) FROM articles AS a WHERE a.run_id = r.run_id) AS articles,
    (SELECT count(*) FROM statements AS s WHERE s.run_id = r.run_id) AS statements,
    coalesce(d.stances, 0) AS stances,
    coalesce(f.rejects, 0) AS rejects,
    f.rejects_by_reason,
    d.stances_by_confidence
FROM runs AS r
LEFT JOIN refused AS f USING (run_id)
LEFT JOIN sided AS d USING (run_id);

COMMENT ON VIEW run_quality IS 'Current rows that each run wrote, its rejects by reason, and its stances by confidence (0.3: from 0.3 to below 0.4).';

CREATE OR REPLACE MACRO speaker_timeline(speaker_name) AS TABLE
SELECT
    a.published_at,
    n.speaker,
    t.stance,
    g.name AS target_name,
    st.text AS statement,
    a.outlet,
    a.url,
    st.statement_id,
    coalesce(c.repetitions, 0) AS repetitions,
    coalesce(t.confidence, st.statement_confidence * coalesce(st.speaker_confidence, 1)) AS confidence
FROM named_speakers AS n
JOIN statement_speakers AS ss USING (speaker_id)
JOIN statements AS st USING (statement_id)
JOIN articles AS a USING (article_id)
LEFT JOIN stances AS t USING (statement_id)
LEFT JOIN targets AS g USING (target_id)
LEFT JOIN statement_clusters AS k USING (statement_id)
LEFT JOIN (
    SELECT statement_cluster_id, count(*) - 1 AS repetitions
    FROM statement_clusters
    GROUP BY statement_cluster_id
) AS c USING (statement_cluster_id)
WHERE (lower(n.speaker) = lower(speaker_name) OR list_contains(n.aliases, speaker_name))
    AND coalesce(k.position, 0) = 0
ORDER BY a.published_at, a.article_id, st.position, t.position;

COMMENT ON MACRO TABLE speaker_timeline IS 'Statements of a speaker, given by name in any case or by alias, earliest first; repetitions are counted, not listed.';
