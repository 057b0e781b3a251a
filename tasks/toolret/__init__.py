"""ToolRet: requests of 35 tool-use datasets over one index of the tools of all of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tool_bench.task import Task

from .build import HEADLINE, build
from .sources import (
    COPIED_SOURCES,
    COPIED_SUBSETS,
    COPY,
    COPY_REVISION,
    HUB_SOURCES,
    QUERIES,
    QUERIES_REPOSITORY,
    QUERIES_REVISION,
)

TOOLRET = Task(
    name="ToolRet",
    description=(
        "7,961 requests of 35 tool-use datasets, each without its instruction, over one index of "
        "the 44,453 tools of all of them. Ranked by the mean of three category means (web, code, "
        "customized), each the mean of its sub-datasets, as in the paper."
    ),
    reference="https://arxiv.org/abs/2503.01763",
    dataset={"path": QUERIES_REPOSITORY, "revision": QUERIES_REVISION},
    date=("2025-01-01", "2025-03-23"),
    domains=("Programming", "Web", "Written"),
    license="apache-2.0",
    annotations_creators="derived",
    sample_creation="found",
    bibtex_citation="""@article{shi2025toolret,
  author = {Shi, Zhengliang and Wang, Yuhan and Yan, Lingyong and Ren, Pengjie and
            Wang, Shuaiqiang and Yin, Dawei and Ren, Zhaochun},
  title = {Retrieval Models Aren't Tool-Savvy: Benchmarking Tool Retrieval for Large Language
           Models},
  journal = {arXiv preprint arXiv:2503.01763},
  year = {2025},
}""",
    build=partial(build, name="ToolRet", instructions=False),
    sources=HUB_SOURCES,
    tools=44_453,
    queries=7_961,
    eval_langs=dict.fromkeys(("global", *QUERIES), ("eng-Latn",)),
    on_demand=True,
    headline=HEADLINE,
    rules=(
        (
            "The headline is the mean of the category means, each the mean of its sub-datasets' "
            "means; 'all' is the mean over queries, to which large sub-datasets count more. A "
            "sub-dataset's category is that of its rows."
        ),
        (
            "Every query is scored with its own labels, as upstream's code does: where one text "
            "stands under several ids, golds are not pooled."
        ),
        (
            "A label of relevance 1 or more is a gold, with that grade; of a tool labelled twice "
            "the last label counts; a label that names no tool of the index is an error."
        ),
        (
            "Texts are upstream's, letter by letter. A query without text stays in and is scored "
            "like any other; 'empty queries' counts them."
        ),
        (
            "Name, description and parameters are read from the documentation object, whose fields "
            "differ between sub-datasets: a tool without a name has its id as name, and parameters "
            "in free text are none. The document string itself is what the '-verbatim' methods "
            "read, bm25s-verbatim whole; the others cut theirs after 2,000 characters, and a model "
            "cuts a text where its input ends."
        ),
        (
            "Without instructions a query is its text alone. Upstream's code puts an empty "
            "'Instruct: ' and 'Query: ' before it for most models, so its own figures for this "
            "setting can differ."
        ),
        "Upstream's repository is under Apache-2.0; its data sets on the hub state no licence.",
    ),
)

OVERLAPS = (
    "Tools and requests overlap with other tasks and with training data: metatool is MetaTool's, "
    "many of apigen's tools are ToolBench's APIs with descriptions of their own, gorilla-pytorch "
    "and gorilla-tensor are APIBench's, and ultratool is UltraTool."
)
INSTRUCTED = (
    "Methods of words get the instruction and the text; encoders, rerankers and language models "
    "get 'Instruct: ', the instruction, a new line, 'Query: ' and the text; models with a place "
    "for an instruction in their own template get it there."
)

TASKS = (
    replace(
        TOOLRET,
        rules=(
            *TOOLRET.rules,
            OVERLAPS,
            (
                "The hub's files hold 7,961 queries (web 5,230, code 1,749, customized 982) and "
                "44,453 tools (37,292, 3,794 and 3,367); the paper counts 7,615 queries (4,916, "
                "950 and 1,749) and 43,215 tools. One query (mnms_query_17) has no text."
            ),
        ),
    ),
    replace(
        TOOLRET,
        name="ToolRetInstruction",
        description=(
            "ToolRet with instructions: each of the 7,961 requests comes with a sentence, written "
            "by a language model, that says what kind of tool to look for."
        ),
        build=partial(build, name="ToolRetInstruction", instructions=True),
        rules=(
            *TOOLRET.rules,
            OVERLAPS,
            INSTRUCTED,
            (
                "The hub's files hold 7,961 queries (web 5,230, code 1,749, customized 982) and "
                "44,453 tools; the paper counts 7,615 and 43,215. One query (mnms_query_17) is its "
                "instruction alone."
            ),
        ),
    ),
    TOOLRET4 := replace(
        TOOLRET,
        name="ToolRet4",
        description=(
            "Four of ToolRet's 35 sub-datasets (apibank, apigen, gorilla-huggingface, toolink): "
            "2,098 requests without their instructions, over the 6,417 tools of these four. "
            "Never comparable with ToolRet, which searches 44,453 tools."
        ),
        dataset={"path": COPY, "revision": COPY_REVISION},
        build=partial(build, name="ToolRet4", instructions=False),
        sources=COPIED_SOURCES,
        on_demand=False,
        tools=6_417,
        queries=2_098,
        eval_langs=dict.fromkeys(("global", *COPIED_SUBSETS), ("eng-Latn",)),
        rules=(
            *TOOLRET.rules,
            "Many of apigen's tools are ToolBench's APIs with descriptions of their own.",
            (
                "ToolRet-4 is not ToolRet: an index a seventh of the size and two categories, web "
                "(apibank 101 queries over 101 tools of its own, apigen 1,000 over 3,605) and code "
                "(gorilla-huggingface 500 over 907, toolink 497 over 1,804). No score on it stands "
                "beside one on the whole."
            ),
            (
                "The files are a public copy with upstream's ids, instructions and labels. It "
                "holds decoded JSON, so document strings are written again, letters beyond ASCII "
                "as they are. In one of apigen's tools a default value that looks like a token is "
                "blanked; that file comes from a mirror only."
            ),
        ),
    ),
    replace(
        TOOLRET4,
        name="ToolRet4Instruction",
        description=(
            "ToolRet4 with instructions: each of its 2,098 requests comes with a sentence that "
            "says what kind of tool to look for. Never comparable with ToolRetInstruction."
        ),
        build=partial(build, name="ToolRet4Instruction", instructions=True),
        rules=(
            *TOOLRET.rules,
            "Many of apigen's tools are ToolBench's APIs with descriptions of their own.",
            INSTRUCTED,
            (
                "ToolRet-4 is not ToolRet: an index a seventh of the size, and two of the three "
                "categories. What ToolRet4 says of its files holds here."
            ),
        ),
    ),
)
