"""Looking into pictures, video and sound: what they show, what is written in them, what is said.

The models are optional extras (`make media`). What none of them can judge is named, and never cleared.

    reader    our side: hands a file to a child process and waits only so long
    worker    the child's side: no Django, no database, no way back but one line of JSON
    files     opening files within limits: frames and sound
    models    the models, each loaded at first use
"""
