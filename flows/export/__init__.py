"""Export stage: releases as Parquet."""
