"""Training an auditory LLM: tasks, packed rows, losses, curriculum, measures.

    clips.csv --> data.py, tasks.py --> packing.py --> trainee.py --> loss
                  features.py (frozen encoders, cached) --^

``train.py`` is the loop around it.

Authors
 * The speechbrain_jasco developers, 2026
"""
