"""What the tests of deploy/ start with: the project built, and its stacks synthesised once."""

import functools
import json
import re

import pytest

import workspace
from template import Template


class Made:
    """What one synthesis made."""

    def __init__(self, folder, said):
        self.folder, self.said = folder, said

    def template(self, name):
        return Template(self.folder / f"{name}.template.json")

    def names(self):
        return sorted(path.name.split(".")[0] for path in self.folder.glob("*.template.json"))


@pytest.fixture(scope="session")
def built():
    workspace.install()
    workspace.build()


@pytest.fixture(scope="session")
def zip_file(tmp_path_factory):
    return workspace.make_zip(tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="session")
def app(built, zip_file, tmp_path_factory):
    """Synthesises the CDK app with the settings given; its exit status must be as expected."""

    def synthesise(status=0, **settings):
        home = tmp_path_factory.mktemp("app")
        settings = {"API_BASE_URL": workspace.API, "DISPATCHER_PACKAGE": str(zip_file), **settings}
        given = {name: value for name, value in settings.items() if value is not None}
        done = workspace.run([*workspace.without_network(), "node", "dist/bin/deploy.js"], cwd=workspace.FOLDER,
                             env=workspace.environment(home, CDK_OUTDIR=str(home / "out"), **given))
        assert (done.returncode == 0) == (status == 0), done.stderr
        return Made(home / "out", done.stderr)

    return synthesise


@pytest.fixture(scope="session")
def cdk_synth(built, zip_file, tmp_path_factory):
    """`cdk synth`, as people type it."""
    home = tmp_path_factory.mktemp("cdk")
    done = workspace.run(
        [*workspace.without_network(), "npx", "--no-install", "cdk", "synth", "--quiet", "--output", home / "out"],
        cwd=workspace.FOLDER,
        env=workspace.environment(home, API_BASE_URL=workspace.API, DISPATCHER_PACKAGE=str(zip_file)))
    assert done.returncode == 0, done.stdout + done.stderr
    return Made(home / "out", done.stdout + done.stderr)


@pytest.fixture(scope="session")
def scenarios(built, zip_file, tmp_path_factory):
    """The stacks of scenarios.ts."""
    home = tmp_path_factory.mktemp("scenarios")
    said = workspace.must(
        [*workspace.without_network(), "node", "dist/tests/scenarios.js", home / "out", zip_file],
        cwd=workspace.FOLDER, env=workspace.environment(home))
    return Made(home / "out", said)


@pytest.fixture(scope="session")
def amplify(built, zip_file, tmp_path_factory):
    """The Amplify backend as `ampx sandbox` (sandbox) and `ampx pipeline-deploy` (branch) synthesise it."""

    @functools.cache
    def synthesise(kind):
        home = tmp_path_factory.mktemp(kind)
        context = {"amplify-backend-namespace": "app1", "amplify-backend-name": "main", "amplify-backend-type": kind}
        workspace.must(
            [*workspace.without_network(), "node", workspace.HERE / "synth-amplify.mjs",
             workspace.FOLDER / "dist/amplify/backend.js"], cwd=workspace.FOLDER,
            env=workspace.environment(home, API_BASE_URL=workspace.API, DISPATCHER_PACKAGE=str(zip_file),
                                      CDK_OUTDIR=str(home / "out"), CDK_CONTEXT_JSON=json.dumps(context)))
        return Made(home / "out", "")

    return synthesise


@pytest.fixture(scope="session")
def plain(scenarios):
    return scenarios.template("Plain")


@pytest.fixture
def refusals(scenarios):
    return dict(re.findall(r"^(.*?): (.*)$", scenarios.said, re.MULTILINE))
