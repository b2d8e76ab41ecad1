"""Table II of arXiv 2409.14526 as integers and as it is printed.

Authors
 * The speechbrain_jasco developers, 2026
"""

# System -> Best-Mean totals over 80 clips, which the printed means pin, the
# means, and their average; judges: Llama-3.1-70B, Qwen2.5-72B, Mistral-Large.
TABLE_II = {
    "WavLLM": ([39, 26, 10], ["0.49", "0.33", "0.13"], "0.31"),
    "LTU-AS": ([83, 95, 59], ["1.04", "1.19", "0.74"], "0.99"),
    "SALMONN": ([97, 103, 64], ["1.21", "1.29", "0.80"], "1.10"),
    "Qwen2-Audio": ([110, 114, 70], ["1.38", "1.43", "0.88"], "1.23"),
}
