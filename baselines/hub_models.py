"""Embedding models of the Hugging Face hub, loaded and prompted by mteb.

No run fetches their weights unasked: ``run --model NAME`` does. What is stated here is what mteb's
registry holds; memory is that of the weights and of one batch at work.
"""

from __future__ import annotations

from functools import partial

from tool_bench.baseline import Baseline, Needs, Speed, Weights
from tool_bench.hub_load import STYLE, load_mteb
from tool_bench.loading import memory_gib
from tool_bench.prompt import PROMPT

_BGE_QUERY = "Represent this sentence for searching relevant passages: "
_INSTRUCT = f"Instruct: {PROMPT}\nQuery: "

_MS_MARCO = (
    "MSMARCO MSMARCO-PL MSMARCOHardNegatives NQ NQ-NL NQ-PL NQHardNegatives "
    "NanoMSMARCORetrieval NanoNQRetrieval mMARCO-NL"
)
_BGE_DATA = "AmazonReviewsClassification DuRetrieval MLQARetrieval NQ NQ-NL NQHardNegatives"
_E5_MISTRAL_DATA = (
    "FEVER FEVER-NL FEVER-PL FEVERHardNegatives HotpotQA HotpotQA-NL HotpotQA-PL "
    "HotpotQAHardNegatives MIRACLReranking MIRACLRetrieval MIRACLRetrievalHardNegatives MSMARCO "
    "MSMARCO-PL MSMARCOHardNegatives MrTidyRetrieval NQ NQ-NL NQ-PL NQHardNegatives "
    "NanoMSMARCORetrieval NanoNQRetrieval XQuADRetrieval mMARCO-NL"
)
_QWEN3_DATA = (
    "CMedQAv2-reranking CodeSearchNet DuRetrieval FEVER HotpotQA MIRACLRetrieval MMarcoReranking "
    "MSMARCO MrTidyRetrieval NQ T2Retrieval"
)
_NV_EMBED_DATA = (
    "AmazonCounterfactualClassification AmazonReviewsClassification ArguAna ArguAna-NL ArguAna-PL "
    "ArxivClusteringP2P ArxivClusteringP2P.v2 ArxivClusteringS2S Banking77Classification "
    "BiorxivClusteringP2P BiorxivClusteringP2P.v2 BiorxivClusteringS2S BiorxivClusteringS2S.v2 "
    "EmotionClassification FEVER FEVER-NL FEVERHardNegatives FiQA2018 FiQA2018-NL HotpotQA "
    "HotpotQA-NL HotpotQA-PL HotpotQAHardNegatives ImdbClassification MIRACLReranking "
    "MIRACLRetrieval MIRACLRetrievalHardNegatives MSMARCO MSMARCO-PL MSMARCOHardNegatives "
    "MTOPIntentClassification MedrxivClusteringP2P MedrxivClusteringP2P.v2 MedrxivClusteringS2S "
    "MedrxivClusteringS2S.v2 MrTidyRetrieval NQ NQ-NL NQ-PL NQHardNegatives NanoArguAnaRetrieval "
    "NanoFEVERRetrieval NanoMSMARCORetrieval NanoNQRetrieval RedditClustering RedditClustering.v2 "
    "RedditClusteringP2P RedditClusteringP2P.v2 STS12 STS22 STSBenchmark "
    "STSBenchmarkMultilingualSTS StackExchangeClustering StackExchangeClustering.v2 "
    "StackExchangeClusteringP2P StackExchangeClusteringP2P.v2 ToxicConversationsClassification "
    "TweetSentimentExtractionClassification TwentyNewsgroupsClustering "
    "TwentyNewsgroupsClustering.v2 mMARCO-NL"
)

_STAND_IN = (
    "mteb loads it without its repository's own code (trust_remote_code): transformers' {} stands "
    "in, with causal attention unless the configuration says otherwise"
)


def _shown(prompt: str) -> str:
    return repr(prompt.replace(PROMPT, "…")) if prompt else "nothing"


def _model(  # noqa: PLR0913  one argument per fact
    name: str,
    revision: str,
    what: str,
    *,
    reference: str,
    license: str,  # noqa: A002  as Baseline names it
    parameters: int,
    weights_mib: float,
    precision: str = "float32",
    query: str = "",
    document: str = "",
    trained_on: str = "",
    deviations: tuple[str, ...] = (),
    modules: tuple[str, ...] = (),
) -> Baseline:
    size = parameters / 22_713_216  # of MiniLM, which took 25 ms for a tool and 20 for a request
    return Baseline(
        name=name,
        kind="dense",
        description=(
            f"{what}, over 'name: description', as mteb loads and prompts it: {_shown(query)} "
            f"before a request, {_shown(document)} before a tool."
        ),
        reference=reference,
        license=license,
        load=partial(load_mteb, name, revision),
        parameters=parameters,
        revision=revision,
        style=STYLE,
        precision=precision,
        settings={"prompts": "mteb", "query prompt": query, "document prompt": document},
        deviations=deviations,
        needs=Needs(
            modules=modules,
            weights=Weights(name, revision),
            memory_gib=memory_gib(weights_mib),
        ),
        trained_on=tuple(trained_on.split()),
        speed=Speed(start=10 + weights_mib / 1024, per_tool=0.025 * size, per_query=0.02 * size),
        arguments=("--model", name, "--revision", revision),
    )


BASELINES = (
    _model(
        "sentence-transformers/all-MiniLM-L6-v2",
        "8b3219a92973c328a8e22fadcfa821b5dc75636a",
        "all-MiniLM-L6-v2 from the hub",
        reference="https://arxiv.org/abs/1908.10084",
        license="apache-2.0",
        parameters=22_713_216,
        weights_mib=87,
        trained_on=_MS_MARCO,
    ),
    _model(
        "BAAI/bge-small-en-v1.5",
        "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a",
        "BGE small, English, v1.5",
        reference="https://arxiv.org/abs/2309.07597",
        license="mit",
        parameters=33_400_000,
        weights_mib=127,
        query=_BGE_QUERY,
        trained_on=_BGE_DATA,
    ),
    _model(
        "BAAI/bge-base-en-v1.5",
        "a5beb1e3e68b9ab74eb54cfd186867f64f240e1a",
        "BGE base, English, v1.5",
        reference="https://arxiv.org/abs/2309.07597",
        license="mit",
        parameters=109_000_000,
        weights_mib=390,
        query=_BGE_QUERY,
        trained_on=_BGE_DATA,
    ),
    _model(
        "BAAI/bge-large-en-v1.5",
        "d4aa6901d3a41ba39fb536a557fa166f842b0e09",
        "BGE large, English, v1.5",
        reference="https://arxiv.org/abs/2309.07597",
        license="mit",
        parameters=335_000_000,
        weights_mib=1242,
        query=_BGE_QUERY,
        trained_on=_BGE_DATA,
    ),
    _model(
        "intfloat/e5-base-v2",
        "1c644c92ad3ba1efdad3f1451a637716616a20e8",
        "E5 base v2",
        reference="https://arxiv.org/abs/2212.03533",
        license="mit",
        parameters=109_000_000,
        weights_mib=418,
        query="query: ",
        document="passage: ",
        trained_on=_MS_MARCO,
    ),
    _model(
        "intfloat/e5-mistral-7b-instruct",
        "07163b72af1488142a360786df853f237b1a3ca1",
        "E5 on Mistral 7B",
        reference="https://arxiv.org/abs/2401.00368",
        license="mit",
        parameters=7_111_000_000,
        weights_mib=13_563,
        precision="float16",
        query=_INSTRUCT,
        trained_on=_E5_MISTRAL_DATA,
    ),
    _model(
        "Alibaba-NLP/gte-Qwen2-1.5B-instruct",
        "c6c1b92f4a3e1b92b326ad29dd3c8433457df8dd",
        "GTE on Qwen2 1.5B",
        reference="https://arxiv.org/abs/2308.03281",
        license="apache-2.0",
        parameters=1_543_268_864,
        weights_mib=6776,
        precision="float16",
        query=_INSTRUCT,
        deviations=(_STAND_IN.format("Qwen2"),),
    ),
    _model(
        "Qwen/Qwen3-Embedding-0.6B",
        "b22da495047858cce924d27d76261e96be6febc0",
        "Qwen3 Embedding 0.6B",
        reference="https://arxiv.org/abs/2506.05176",
        license="apache-2.0",
        parameters=595_776_512,
        weights_mib=1136,
        precision="bfloat16",
        query=_INSTRUCT.rstrip(" "),
        trained_on=_QWEN3_DATA,
    ),
    _model(
        "Qwen/Qwen3-Embedding-4B",
        "636cd9bf47d976946cdbb2b0c3ca0cb2f8eea5ff",
        "Qwen3 Embedding 4B",
        reference="https://arxiv.org/abs/2506.05176",
        license="apache-2.0",
        parameters=4_021_774_336,
        weights_mib=7671,
        precision="bfloat16",
        query=_INSTRUCT.rstrip(" "),
        trained_on=_QWEN3_DATA,
    ),
    _model(
        "Qwen/Qwen3-Embedding-8B",
        "4e423935c619ae4df87b646a3ce949610c66241c",
        "Qwen3 Embedding 8B",
        reference="https://arxiv.org/abs/2506.05176",
        license="apache-2.0",
        parameters=7_567_295_488,
        weights_mib=14_433,
        precision="bfloat16",
        query=_INSTRUCT.rstrip(" "),
        trained_on=_QWEN3_DATA,
    ),
    _model(
        "nvidia/NV-Embed-v1",
        "570834afd5fef5bf3a3c2311a2b6e0a66f6f4f2c",
        "NV-Embed v1, which runs code of its repository (trust_remote_code)",
        reference="https://arxiv.org/abs/2405.17428",
        license="cc-by-nc-4.0",
        parameters=7_850_000_000,
        weights_mib=14_975,
        precision="float16",
        query=_INSTRUCT,
        trained_on=_NV_EMBED_DATA,
        modules=("flash_attn",),
    ),
    _model(
        "GritLM/GritLM-7B",
        "13f00a0e36500c80ce12870ea513846a066004af",
        "GritLM 7B, the embedding half",
        reference="https://arxiv.org/abs/2402.09906",
        license="apache-2.0",
        parameters=7_240_000_000,
        weights_mib=13_813,
        precision="bfloat16",
        query=f"<|user|>\n{PROMPT}\n<|embed|>\n",
        document="<|embed|>\n",
        trained_on=_E5_MISTRAL_DATA,
        deviations=(_STAND_IN.format("Mistral"),),
    ),
)
