"""The files of ToolRet: the hub's own, and a public copy of four of its sub-datasets."""

from __future__ import annotations

from tool_bench.task import Source

QUERIES_REPOSITORY = "mangopy/ToolRet-Queries"
QUERIES_REVISION = "b8c76ad3349ff17497b6bdb28bb5b8f61a0f6445"
TOOLS_REPOSITORY = "mangopy/ToolRet-Tools"
TOOLS_REVISION = "e06c38c75612b6536bd959e08cdd345894aba6a7"

TOOLS = {
    "web": ("57faceebd778b2cb74571dca0e71e8bc8078c11ba05dce0efc562e818d3950e6", 8_143_446),
    "code": ("a5b1a8111a40128b1429fe53a490e627fd2832ebe2e641db5eeb695ecb4f0d9a", 788_678),
    "customized": ("e3d0cf64f5d5321751401677c820c5e8c7df79bfd67a85c01e275fe573cbde41", 384_413),
}
"""Category -> sha256 and size of its file of tools."""

QUERIES = {
    "apibank": ("1e91b9c4f7e0b38946bf5c3272e15af73f0b446e4d546c52e09179b3a9709d3b", 45_023),
    "apigen": ("7f6d6ee477ba98380816c418f51c445c937771ee557d73c0a575d0d30fd01a14", 352_171),
    "appbench": ("e7efff5e12a7676df46ded343abfdd44cc3c4fbeacee3d6b89edec8a9022b5d7", 29_833),
    "autotools-food": ("a780caf11c358db91552c6c75a7c8fe6312c73dcead3413543b9ccb1ffef6419", 88_101),
    "autotools-music": (
        "aff4630b7e8828b262df047b2db1172cf24b57c15e454261359f6e64e028487d",
        1_278_393,
    ),
    "autotools-weather": (
        "80203c8ee6070ca102b08eb90b134f9602e4d085ba2f4da4f89288e1edd5f68f",
        96_147,
    ),
    "craft-math-algebra": (
        "70993dcb4bc2b55f42994bed7f08b785d6af6baad941ee6973db26e2700b5df6",
        145_294,
    ),
    "craft-tabmwp": ("c86458e41e26ac631aea4223fb9e24803d1b8117e31c28265824c10d221cfdf5", 93_220),
    "craft-vqa": ("014a4d68f6f55f74820139ea6008cbce91c609d8e0965aac94ac1599683d8d9b", 85_397),
    "gorilla-huggingface": (
        "ed64800b722bc8e2b8520feb3e5defc3988b0cc858929396ffc930625e71f703",
        290_310,
    ),
    "gorilla-pytorch": ("b6423e142bab08ac0d7f9cdc1851a8e85a915970936139c795f697188b137ae0", 33_422),
    "gorilla-tensor": ("5b037823ac75e503df7abb08c51dcf7843f86ffb8ff45a625a09f1589b8f1fc7", 24_985),
    "gpt4tools": ("7171ba30b7930b76e3562d38c0cf74c2c778fbc429e2087234f8bef577ed7576", 20_023),
    "gta": ("757560b5e587993e8fb05c9d3ad146016cdefa21b938bd50b78ad6045067bb08", 18_173),
    "metatool": ("f4839301cd345a6b5eef1ebfd1710dfb209e5c9b6812a31ed8d7152979393ca0", 59_240),
    "mnms": ("d591f2cf3974abe21c6c0462a935b53b807246b95ed4d7439d5d05e0e97973ca", 20_327),
    "restgpt-spotify": (
        "a2dcd32971d6e807c437f09f3c09f84a2bc53a805468b98307ea41116c35e0a4",
        212_315,
    ),
    "restgpt-tmdb": ("aa8a256d7100b005f6258f60229b5c0350967be3b8b8d6e6b58dfa79a8059193", 693_183),
    "reversechain": ("d4da51689cfc10f045e37bce6ffeb665e43a67faa9d71834abc84106603ad854", 100_619),
    "rotbench": ("2f75a1caf9c105560b5da02bd17e733e7d4d7e57ed6e0696728ffc36dae00159", 92_990),
    "t-eval-dialog": ("da566b97d930ce44b89bca85c2e7fa6acac6809110f76bb2e354a77a978ed97e", 49_204),
    "t-eval-step": ("eddd81571593a320e09b96d3807350d81f5c2778087489844d73551fca14c899", 49_745),
    "taskbench-daily": ("7357298960afafd3afcff91559cc14e95486e729798ef1b39af044e494cb8d15", 22_675),
    "taskbench-huggingface": (
        "c94f6ca056dd0906fb0f0d2cd9abe4f98a077c368fc52af9dee14325ee60d58a",
        19_567,
    ),
    "taskbench-multimedia": (
        "0cebfcd50a061c48c043785f80db4ec48fbaa82f764db29f20b83f82b7e6d7e4",
        23_044,
    ),
    "tool-be-honest": ("e936b9dde7b3e7256662464a118b952c3873ea0b6086d0a328a568b7b35678cb", 166_352),
    "toolace": ("49f7c861cec1799430680cea1df6cb98a10b33227f6cb183ac32375f396fcd5a", 618_326),
    "toolalpaca": ("627659a13d1b30a76e94d91ea27b14b4bc3be30e3fd6cd727f58ca1665bb1fe2", 36_261),
    "toolbench": ("2bb32ea009d6ece37b1b785330247aacac037a20dd4522632cb3359809c8837d", 922_485),
    "toolbench-sam": ("36075db0985db103afac9ad959f7974e79eb267c7d47fd31a6de4813e3a3802f", 50_343),
    "toolemu": ("f11491359b61bfb4a6f4d9bed2c45baab547938986e749e9eee555c667887020", 93_924),
    "tooleyes": ("c28280ed0a3cb119cc22f3f6678610bd2b7d4f9acbe7b800f0452b9a8d8a5d09", 34_642),
    "toolink": ("6ff2d524e1e79b8af96518e9d880ddf00cb8371e1bf58475011551b74d9d4a91", 114_950),
    "toollens": ("344e08a552508c77cb58e87dc93f7090f5c4eedba771095e5cdf6c1b12243a79", 230_860),
    "ultratool": ("5fc5fd59cab9e9a6852817ccb4645f81d47bf4394da232404d798c1be33d36b8", 134_582),
}
"""Sub-dataset -> sha256 and size of its file of queries."""

COPY = "LittleDinoC/MFTR"
COPY_REVISION = "c3f4d40a560a3017200141c3de0fff66e2dcbe8f"
COPY_FOLDER = "dataset/from_toolret"

COPIED = {
    "apibank/queries": (
        "de8daf2a99f4c3d34690aac2f6d0a6fd25f7cc80a0825fee771eef91c51f7537",
        232_953,
    ),
    "apibank/tools": ("49153b42d0ff3c87cf5ceb12da6171be100959ff4609c60d4d1641ffbf44b24c", 153_780),
    "apigen/queries": (
        "9be05856e9577497466fc34fef49b26ade41462b39819084b3157f8a4e9c4d18",
        1_695_093,
    ),
    "apigen/tools": (
        "ce23893932a33d0f8f3ba677b1cb7f70d46c108c53400906e53d3aed5b3cfa56",
        3_032_292,
    ),
    "gorilla-huggingface/queries": (
        "0a7400f99a62ac1ae32561b3cae82ccf2708fff882b7ef7788137bd0de1b4340",
        1_203_305,
    ),
    "gorilla-huggingface/tools": (
        "5dbbd854e76a91589a700ac4ea235ad754caeb5b99423ec7517fbbe580df12ca",
        1_424_922,
    ),
    "toolink/queries": (
        "2651404266b7ff10582c3a268d3ef335bac429538dc07963706daa59eeb8543b",
        773_580,
    ),
    "toolink/tools": ("d5eb346ae61213d77e3d53c33ef28531af309c1be29215c29fd820d10f83cd0c", 772_503),
}
"""File of the copy -> sha256 and size."""
COPIED_SUBSETS = tuple(dict.fromkeys(file.split("/")[0] for file in COPIED))

REDACTED = {"apigen/tools"}
"""Files of the copy in which a value that looks like a token is blanked; only mirrors have them."""


def hub_path(kind: str, name: str) -> str:
    """Return the source path of a hub file; ``kind`` is ``Tools`` or ``Queries``."""
    return f"toolret/ToolRet-{kind}/{name}/{kind.lower()}-00000-of-00001.parquet"


def copied_path(file: str) -> str:
    """Return the source path of a file of the copy."""
    return f"toolret-4/{COPY_FOLDER}/{file}.json"


def _hub_source(kind: str, name: str, sha256: str, size: int) -> Source:
    repository, revision = {
        "Tools": (TOOLS_REPOSITORY, TOOLS_REVISION),
        "Queries": (QUERIES_REPOSITORY, QUERIES_REVISION),
    }[kind]
    file = f"{name}/{kind.lower()}-00000-of-00001.parquet"
    return Source(
        path=hub_path(kind, name),
        url=f"https://huggingface.co/datasets/{repository}/resolve/{revision}/{file}",
        revision=revision,
        sha256=sha256,
        size=size,
        license="apache-2.0",
    )


def _copied_source(file: str, sha256: str, size: int) -> Source:
    address = f"https://raw.githubusercontent.com/{COPY}/{COPY_REVISION}/{COPY_FOLDER}/{file}.json"
    return Source(
        path=copied_path(file),
        url=None if file in REDACTED else address,
        revision=COPY_REVISION,
        sha256=sha256,
        size=size,
        license="apache-2.0",
    )


HUB_SOURCES = tuple(
    _hub_source(kind, name, *pinned)
    for kind, files in (("Tools", TOOLS), ("Queries", QUERIES))
    for name, pinned in files.items()
)
COPIED_SOURCES = tuple(_copied_source(file, *pinned) for file, pinned in COPIED.items())
